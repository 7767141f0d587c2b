import { defineStandalone } from '../../command.ts';
import { table } from '../../presentation.ts';
import { ProfilesFile } from '../../profiles-file.ts';

export const profileList = defineStandalone({
  name: 'profile list',
  summary: 'List the profiles, and say which one is used',
  details:
    'Your own and those of tq.config. A protected one is read-only without --write. Passwords are not shown (docs/operations.md).',
  examples: [
    { command: 'tq profile list', does: 'see which brokers have names' },
    { command: 'tq profile list --json', does: 'as JSON' },
  ],
  json: ['name', 'broker', 'results', 'protected', 'current', 'source'],
  toInput: () => ({}),
  async answer(_input, { host }) {
    const rows = await new ProfilesFile(host).list();
    return {
      json: rows,
      blocks: [
        table(
          [
            { key: 'name', title: 'NAME', as: 'text' },
            { key: 'broker', title: 'BROKER', as: 'text', shrinks: true },
            { key: 'results', title: 'RESULTS', as: 'text', shrinks: true },
            { key: 'protected', title: 'PROTECTED', as: 'flag' },
            { key: 'current', title: 'USED', as: 'flag' },
            { key: 'source', title: 'FROM', as: 'text' },
          ],
          rows,
          'there are no profiles; `tq profile add NAME --broker URL` adds one',
        ),
      ],
    };
  },
});
