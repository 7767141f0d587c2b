const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1 GiB`, `12.5 MiB`: for people. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(amount) ? amount : amount.toFixed(1)} ${UNITS[unit]}`;
}
