import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { folder, subscribe } from './app.ts';

/**
 * What a web server does when somebody signs up: it keeps the picture that was uploaded and leaves the rest to a worker.
 *
 * @param requestId stands on every log line that this sign-up leads to, in every process
 */
export async function signUp(email: string, name: string, requestId: string) {
  const portrait = join('uploads', `${email}.jpg`);
  await mkdir(join(folder, 'uploads'), { recursive: true });
  await copyFile(join(import.meta.dirname, 'portrait.jpg'), join(folder, portrait));
  return await subscribe.apply([{ email, name, portrait }], { requestId });
}
