import { anchorProfile } from '../../../engine/config/load-config.ts';
import { isProfileName } from '../../../engine/config/profiles.ts';
import { maskSecrets } from '../../../engine/config/secret.ts';
import { createError } from '../../../engine/core/errors.ts';
import { defineStandalone, type Values } from '../../command.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { line } from '../../presentation.ts';
import { ProfilesFile } from '../../profiles-file.ts';

export const profileAdd = defineStandalone({
  name: 'profile add',
  summary: 'Keep a broker under a name',
  details: [
    'The broker is that of --broker. A profile of this name is replaced. It is kept in $XDG_CONFIG_HOME/tq/profiles.json, which only you',
    'can read. --protected makes it read-only without --write, and has a name typed before more than 100 jobs are removed.',
  ].join('\n'),
  arguments: [{ name: '<name>', summary: 'letters, digits, dots, dashes and underscores' }],
  options: [sharedOptions.results, { flags: '--protected', summary: 'read-only without --write' }],
  examples: [
    { command: 'tq profile add local --broker sqlite:.tq/tq.db', does: 'name a file' },
    { command: 'tq profile add prod --broker rediss://ops@jobs.example.com/0 --protected', does: 'protect production' },
  ],
  json: ['name', 'broker', 'results', 'protected'],
  toInput({ arguments: [name = ''], options }: Values<{ results?: string; protected?: boolean }>) {
    if (!isProfileName(name)) {
      throw createError('INVALID_OPTION', {
        ...{ what: 'the name of a profile', given: JSON.stringify(name) },
        expected: 'letters, digits, dots, dashes and underscores',
      });
    }
    return { name, results: readText(options.results, '--results'), isProtected: options.protected === true };
  },
  async answer({ name, results, isProtected }, { host, flags }) {
    const { broker } = flags;
    if (typeof broker !== 'string') {
      throw createError('USAGE', {
        message: `profile add ${name} was given no broker`,
        next: `name it: tq profile add ${name} --broker redis://localhost:6379`,
      });
    }
    const { parseBrokerUrl } = await import('../../../engine/broker/broker-url.ts');
    parseBrokerUrl(broker);
    const profile = anchorProfile(
      { broker, ...(results !== undefined && { results }), ...(isProtected && { protected: true }) },
      host.cwd,
    );
    await new ProfilesFile(host).add(name, profile);
    const shown = maskSecrets(profile.broker);
    return {
      json: {
        ...{ name, broker: shown, protected: isProtected },
        results: profile.results === undefined ? null : maskSecrets(profile.results),
      },
      blocks: [line(`profile ${name}${isProtected ? ' (protected)' : ''} is ${shown}`)],
    };
  },
});
