import { readInside } from '../allowed-root.ts';
import { fileRefusal } from '../refusal.ts';
import type { OutputFormat } from './image-input.ts';

export interface ImageLimits {
  /** The only folder that pictures are read from and written to. */
  readonly root: string;
  readonly maxPixels: number;
  readonly maxBytes: number;
}

/** A picture in memory, not decoded yet. */
export interface Picture {
  /** As the caller gave it, for errors. */
  readonly source: string;
  /** Relative to the root, with `/`, links resolved. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly format: InputFormat;
  /** Pixels after the EXIF orientation was applied. */
  readonly width: number;
  readonly height: number;
}

type InputFormat = OutputFormat | 'gif' | 'tiff';

/**
 * Reads a picture and what its header says about it.
 *
 * What it is, its first bytes say and not its name. Only the formats that start in a known way reach a decoder, so an SVG,
 * which can name other files and grow without bounds, is refused like a text.
 *
 * @throws FILE_REFUSED for a path outside the root, a file too large, no picture, or more pixels than allowed
 */
export async function readPicture(source: string, limits: ImageLimits): Promise<Picture> {
  const use = { doing: 'reading a picture', path: source };
  const { bytes, path } = await readInside(limits.root, use, limits.maxBytes);
  const format = detectFormat(bytes);
  if (format === undefined) {
    throw fileRefusal({ ...use, reason: 'it is not a JPEG, PNG, WebP, AVIF, GIF or TIFF picture' });
  }
  const { width, height } = await readDimensions(bytes, use);
  if (width * height > limits.maxPixels) {
    throw fileRefusal({ ...use, reason: `it has ${width} x ${height} pixels, the limit is ${limits.maxPixels}` });
  }
  return { source, path, bytes, format, width, height };
}

async function readDimensions(
  bytes: Buffer,
  use: { doing: string; path: string },
): Promise<{ width: number; height: number }> {
  const { default: sharp } = await import('sharp');
  try {
    // Only the header is read here; the limit on pixels is ours, so that its message names the figures.
    const { autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return autoOrient;
  } catch (error) {
    throw fileRefusal({ ...use, reason: 'it starts like a picture but cannot be read as one' }, error);
  }
}

function detectFormat(bytes: Buffer): InputFormat | undefined {
  const start = bytes.toString('latin1', 0, 32);
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'gif';
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'webp';
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'tiff';
  if (start.startsWith('ftyp', 4) && /^(avif|avis|mif1|msf1)/.test(start.slice(8))) return 'avif';
  return undefined;
}
