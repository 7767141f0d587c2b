/** Signs somebody up and waits for the result: `node enqueue.ts ada@example.com Ada`. A worker must run. */
import { app } from './app.ts';
import { signUp } from './sign-up.ts';

const [email = 'ada@example.com', name = 'Ada'] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

const job = await signUp(email, name, `web-${Date.now()}`);
say(`sent ${job.id} to queue ${job.queue}`);

const result = await job.get({ timeout: '30s' });
say(`subscribed ${email}; the welcome e-mail is job ${result.welcome}`);
await app.close();
