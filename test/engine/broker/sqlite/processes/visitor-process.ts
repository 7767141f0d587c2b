/**
 * Opens a database with SQLite alone, reads the ids of its jobs, sends them and closes it, as a shell or a backup does.
 * Arguments: path of the database.
 */
import { DatabaseSync } from 'node:sqlite';

const [path = ''] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 5000 });
const ids = database
  .prepare('SELECT id FROM job ORDER BY id')
  .all()
  .map(({ id }) => id);
database.close();
process.send?.(ids, () => process.disconnect());
