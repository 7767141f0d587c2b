/**
 * Makes one database after the other, to be killed meanwhile. Arguments: folder of the databases, their number.
 * Reports `ready` before the first.
 */
import { join } from 'node:path';
import { openDatabaseFile } from '../../../../../src/engine/broker/sqlite/database-file.ts';
import { report } from './report.ts';

const [folder = '', count = ''] = process.argv.slice(2);
report('ready');
for (let index = 0; index < Number(count); index += 1) {
  openDatabaseFile({ path: join(folder, `${index}.db`), synchronous: 'normal' }).close();
}
report('done');
