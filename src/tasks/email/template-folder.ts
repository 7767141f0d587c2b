import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { nearestNames } from '../../engine/core/nearest.ts';
import type { Refuse, Template } from './template.ts';
import { passwordReset } from './templates/password-reset.ts';
import { verification } from './templates/verification.ts';
import { welcome } from './templates/welcome.ts';

const BUILT_IN: ReadonlyMap<string, Template> = new Map([
  ['verification', verification],
  ['password-reset', passwordReset],
  ['welcome', welcome],
]);

/**
 * Finds a template by name: each of its parts from the folder, else from the template of that name that comes with tq. The
 * folder is read at every call, so that a change to it needs no restart. An own text or HTML replaces both built-in bodies:
 * two bodies that say different things would be worse than one.
 *
 * @param folder own templates: `NAME.html`, `NAME.txt`, `NAME.subject.txt`
 * @throws what `refuse` gives, for a name that is none, or a folder that is not there
 */
export async function readTemplate(name: string, folder: string | undefined, refuse: Refuse): Promise<Template> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    throw refuse('its name must be letters, digits, - and _, without a folder or an extension');
  }
  const own = folder === undefined ? {} : await readOwn(name, folder, refuse);
  const builtIn = BUILT_IN.get(name) ?? {};
  const hasBody = own.text !== undefined || own.html !== undefined;
  const template = hasBody
    ? { ...(builtIn.subject !== undefined && { subject: builtIn.subject }), ...own }
    : { ...builtIn, ...own };
  if (template.text === undefined && template.html === undefined) throw unknownTemplate(name, folder, refuse);
  return template;
}

async function readOwn(name: string, folder: string, refuse: Refuse): Promise<Template> {
  const [subject, text, html] = await Promise.all([
    readPart(join(folder, `${name}.subject.txt`)),
    readPart(join(folder, `${name}.txt`)),
    readPart(join(folder, `${name}.html`)),
  ]);
  if (subject === undefined && text === undefined && html === undefined && !(await isFolder(folder))) {
    throw refuse(`the folder of templates ${folder} does not exist; \`builtins.email.templates\` names it`);
  }
  return {
    ...(subject !== undefined && { subject: subject.trim() }),
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
  };
}

async function readPart(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() === true;
}

function unknownTemplate(name: string, folder: string | undefined, refuse: Refuse): Error {
  const near = nearestNames(name, BUILT_IN.keys());
  const known = `${[...BUILT_IN.keys()].join(', ')}${folder === undefined ? '' : ` and those in ${folder}`}`;
  return refuse(
    near.length > 0
      ? `there is none of that name; did you mean "${near[0]}"?`
      : `there is none of that name; known are ${known}`,
  );
}
