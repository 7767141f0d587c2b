import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The certificate in PEM; it signs itself, so it is also the authority to trust. */
  readonly certificate: string;
}

/** Makes a self-signed certificate for localhost and 127.0.0.1 with `openssl`, valid for a day, in `folder`. */
export async function createCertificate(folder: string): Promise<Certificate> {
  const certificateFile = join(folder, 'certificate.pem');
  const keyFile = join(folder, 'key.pem');
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', keyFile, '-out', certificateFile]);
  return { certificateFile, keyFile, certificate: await readFile(certificateFile, 'utf8') };
}
