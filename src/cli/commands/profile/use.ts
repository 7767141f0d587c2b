import { createError } from '../../../engine/core/errors.ts';
import { defineStandalone, type Values } from '../../command.ts';
import { line } from '../../presentation.ts';
import { ProfilesFile } from '../../profiles-file.ts';

export const profileUse = defineStandalone({
  name: 'profile use',
  summary: 'Use a profile wherever no other broker is named, or none',
  details: '--broker, --profile and every variable that names a broker go before it; it goes before tq.config.',
  arguments: [{ name: '[name]', summary: 'the profile' }],
  options: [{ flags: '--none', summary: 'use no profile any more' }],
  examples: [
    { command: 'tq profile use staging', does: 'work on staging from now on' },
    { command: 'tq profile use --none', does: 'work on the broker of the project again' },
  ],
  json: ['current'],
  toInput({ arguments: [name], options }: Values<{ none?: boolean }>) {
    if ((name === undefined) === (options.none === undefined)) {
      throw createError('USAGE', {
        message: `profile use was given ${name === undefined ? 'neither a profile nor --none' : 'a profile and --none'}`,
        next: 'name a profile of `tq profile list`, or give --none',
      });
    }
    return { name: name ?? null };
  },
  async answer({ name }, { host }) {
    await new ProfilesFile(host).use(name);
    return { json: { current: name }, blocks: [line(name === null ? 'no profile is used' : `using profile ${name}`)] };
  },
});
