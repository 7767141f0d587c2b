import { defineStandalone } from '../../command.ts';
import { line } from '../../presentation.ts';
import { ProfilesFile } from '../../profiles-file.ts';

export const profileRemove = defineStandalone({
  name: 'profile remove',
  summary: 'Forget a profile',
  details: 'The broker is left as it is. Profiles of tq.config are removed there.',
  arguments: [{ name: '<name>', summary: 'the profile' }],
  examples: [{ command: 'tq profile remove staging', does: 'forget a name' }],
  json: ['removed'],
  toInput: ({ arguments: [name = ''] }) => ({ name }),
  async answer({ name }, { host }) {
    await new ProfilesFile(host).remove(name);
    return { json: { removed: name }, blocks: [line(`profile ${name} is forgotten`)] };
  },
});
