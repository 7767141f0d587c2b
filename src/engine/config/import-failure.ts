import { fileURLToPath } from 'node:url';
import { messageOf } from '../core/errors.ts';
import { maskSecrets } from './secret.ts';

/** Why a module could not be imported, and what mends it, when that can be told. */
export interface ImportFailure {
  readonly reason: string;
  readonly next?: string;
}

/**
 * Reads what `import()` threw. The texts of Node name the trouble and not always the place; the place of a syntax error
 * in TypeScript is in the first line of its stack. Passwords of URLs in the text are masked: an app that passes its
 * broker's URL to a library gets it back in that library's errors.
 */
export function describeImportFailure(thrown: unknown): ImportFailure {
  const message = maskSecrets(messageOf(thrown));
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return {
      reason: `unsupported TypeScript syntax${placeOf(thrown)}: ${message}`,
      next: 'Node runs TypeScript by removing the types: write it without enum, namespace and parameter properties, or compile it and give the .js file',
    };
  }
  if (thrown instanceof SyntaxError) {
    return { reason: `syntax error${placeOf(thrown)}: ${message}` };
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return { reason: message, ...missingModule(message) };
  }
  // An error of tq, also of another copy of it: it knows what mends it.
  if (thrown instanceof Error && 'next' in thrown && typeof thrown.next === 'string') {
    return { reason: message, next: thrown.next };
  }
  return { reason: message };
}

function placeOf(error: unknown): string {
  const [first = ''] = ((error as Error).stack ?? '').split('\n');
  const place = /^(?:file:\/\/)?(?:[A-Za-z]:)?[/\\].*:\d+$/.test(first) ? first : '';
  if (place === '') return '';
  return ` in ${place.startsWith('file://') ? fileURLToPath(place.replace(/:\d+$/, '')) + place.slice(place.lastIndexOf(':')) : place}`;
}

function missingModule(message: string): { next?: string } {
  const name = /Cannot find package '([^']+)'/.exec(message)?.[1];
  // A package is also named by its path when its own entry file is missing.
  if (name !== undefined && !name.startsWith('/')) return { next: `install it: npm install ${name}` };
  if (!message.includes('Cannot find module')) return {};
  return { next: 'check the path of the import; Node wants the extension too, as in ./tasks.ts' };
}
