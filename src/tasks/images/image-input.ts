import * as v from 'valibot';
import { flag, shape, text, wholeNumber } from '../input-shape.ts';

/** The longest side that every format here can be written with (WebP's). */
const LONGEST_SIDE = 16_383;

const path = text(4096);
const side = wholeNumber(1, LONGEST_SIDE);

/** How a picture is written, the same for all sizes of a call. */
const look = {
  /**
   * `inside` (default): within the size, nothing cut off. `cover`: fills the size, edges cut off. `contain`: within the size,
   * with bars. `fill`: stretched. `outside`: at least the size, nothing cut off.
   */
  fit: v.optional(
    v.picklist(
      ['inside', 'cover', 'contain', 'fill', 'outside'],
      'must be "inside", "cover", "contain", "fill" or "outside"',
    ),
    'inside',
  ),
  /** Default that of the source; PNG for a GIF or TIFF. */
  format: v.optional(v.picklist(['jpeg', 'png', 'webp', 'avif'], 'must be "jpeg", "png", "webp" or "avif"')),
  /** 1 to 100; without meaning for PNG, which loses nothing. */
  quality: v.optional(wholeNumber(1, 100), 80),
  /** Whether a picture smaller than the size is enlarged. */
  enlarge: v.optional(flag, false),
};

const SUFFIX = 'must be 1 to 64 letters, digits, ".", "-" or "_"';

const size = v.union(
  [
    side,
    shape({
      width: side,
      height: v.optional(side),
      /** What stands between name and extension, after a "-". Default `WIDTHxHEIGHT`, or `WIDTH` alone. */
      suffix: v.optional(v.pipe(v.string(SUFFIX), v.regex(/^[\w.-]{1,64}$/, SUFFIX))),
    }),
  ],
  `must be a number of pixels from 1 to ${LONGEST_SIDE}, or { width, height, suffix }`,
);

export const thumbnailInput = shape({
  source: path,
  /** A number is the longest side. */
  sizes: v.pipe(
    v.array(size, 'must be a list of sizes'),
    v.minLength(1, 'must have at least one size'),
    v.maxLength(20, 'must have at most 20 sizes'),
    v.check(
      (sizes) => new Set(sizes.map((one) => suffixOf(one).toLowerCase())).size === sizes.length,
      'has two sizes that would get the same file name; give them a suffix',
    ),
  ),
  /** The folder that the files go into. Default that of the source. */
  output: v.optional(path),
  ...look,
});

export const resizeInput = v.pipe(
  shape({ source: path, output: path, width: v.optional(side), height: v.optional(side), ...look }),
  v.check((input) => input.width !== undefined || input.height !== undefined, 'needs a width, a height or both'),
);

/** What tells the files of one call apart. */
export function suffixOf(one: Size): string {
  if (typeof one === 'number') return String(one);
  return one.suffix ?? (one.height === undefined ? String(one.width) : `${one.width}x${one.height}`);
}

export type Size = v.InferOutput<typeof size>;
export type ThumbnailInput = v.InferOutput<typeof thumbnailInput>;
export type ResizeInput = v.InferOutput<typeof resizeInput>;
/** The formats that pictures are written in. */
export type OutputFormat = NonNullable<ThumbnailInput['format']>;
