import { isAbsolute, resolve } from 'node:path';

/**
 * A broker URL that means the same in every working directory: the relative path of a SQLite file becomes one below
 * `folder`. Any other URL is given back as it is.
 */
export function anchorSqliteUrl(url: string, folder: string): string {
  const [, scheme = '', path = '', query = ''] = /^(sqlite:)([^?]*)(.*)$/is.exec(url) ?? [];
  if (path === '' || path === ':memory:' || isAbsolute(path)) return url;
  // Only the folder is encoded: the path is a piece of a URL already.
  return `${scheme}${resolve(folder.replace(/[%?]/g, encodeURIComponent), path)}${query}`;
}

/** Whether a broker lives in the memory of the process that opens it, so that no other process can reach it. */
export function livesInMemory(url: string | undefined): boolean {
  return url !== undefined && /^sqlite::memory:/i.test(url);
}
