/**
 * The same text without the passwords of the URLs in it: `redis://:hunter2@host` becomes `redis://***@host`. For error
 * texts that quote what a person or a library wrote; meant to hide too much rather than too little, so a password with
 * an unescaped space, `@` or `/` is hidden too.
 */
export function maskSecrets(text: string): string {
  return text.replace(STORE_USER, '$1***@').replace(WEB_USER, '$1***@').replace(SECRET_PARAMETER, '$1***');
}

/** To the last `@` of the line. Paths and pages are left out: theirs is as often that of a package, as in `/@scope/`. */
const STORE_USER = /(\b(?!file:|https?:)[a-z][a-z0-9+.-]*:\/\/)[^\n]*@/gi;
const WEB_USER = /(\bhttps?:\/\/)[^\s/@]*@/gi;
const SECRET_PARAMETER = /([?&](?:password|passwd|pass|auth|token|secret|key)=)[^&#\s"'`]*/gi;
