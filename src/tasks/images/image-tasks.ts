import { basename, dirname, extname, join, posix, relative, resolve } from 'node:path';
import type { RetryOptions } from '../../engine/core/retry-policy.ts';
import { currentContext } from '../../engine/task/context.ts';
import { defineTask } from '../../engine/task/definition.ts';
import { type OutputPlace, prepareOutput, toPortable } from '../allowed-root.ts';
import { writeAtomically } from '../atomic-file.ts';
import type { BuiltinEnvironment, ImageOptions } from '../builtin-options.ts';
import { fileRefusal, isRefusal } from '../refusal.ts';
import {
  type OutputFormat,
  type ResizeInput,
  resizeInput,
  suffixOf,
  type ThumbnailInput,
  thumbnailInput,
} from './image-input.ts';
import { type ImageLimits, type Picture, readPicture } from './picture.ts';
import { resizePicture, type Target } from './resize.ts';

/** A picture that was written. Its path is relative to the root, with `/`, so that a following task can be given it. */
export interface WrittenPicture {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
}

export interface ThumbnailResult {
  readonly source: string;
  readonly format: OutputFormat;
  /** In the order of the sizes asked for. */
  readonly files: WrittenPicture[];
}

export interface ResizeResult extends WrittenPicture {
  readonly source: string;
  readonly format: OutputFormat;
}

/** For what passes: a full disk, too many open files, a busy file. Refusals would be refused again. */
const RETRY: RetryOptions = { max: 3, delay: '5s', maxDelay: '1m', except: isRefusal };

/** The tasks on pictures, set up for one app. */
export function imageTasks(options: ImageOptions, environment: BuiltinEnvironment) {
  const limits: ImageLimits = {
    root: resolve(environment.cwd, options.root ?? '.'),
    maxPixels: options.maxPixels ?? 100_000_000,
    maxBytes: options.maxBytes ?? 50 * 1024 * 1024,
  };
  return {
    'image.thumbnail': defineTask(
      'image.thumbnail',
      {
        input: thumbnailInput,
        retry: RETRY,
        description: 'Makes smaller copies of a picture, in one or several sizes.',
      },
      (input) => makeThumbnails(input, limits),
    ),
    'image.resize': defineTask(
      'image.resize',
      { input: resizeInput, retry: RETRY, description: 'Writes a picture in another size or format.' },
      (input) => resizeImage(input, limits),
    ),
  };
}

/** A file of the same name is replaced, so a repeated attempt gives the same files. */
async function makeThumbnails(input: ThumbnailInput, limits: ImageLimits): Promise<ThumbnailResult> {
  const picture = await readPicture(input.source, limits);
  const format = input.format ?? formatOf(picture);
  const files: WrittenPicture[] = [];
  for (const size of input.sizes) {
    currentContext()?.signal.throwIfAborted();
    const name = `${nameOf(picture)}-${suffixOf(size)}.${EXTENSION[format]}`;
    const place = await placeOutput(join(input.output ?? dirname(picture.path), name), picture, limits);
    const target = typeof size === 'number' ? { width: size, height: size } : toTargetSize(size);
    files.push(await writePicture(picture, { ...input, ...target, format }, { place, limits }));
    await currentContext()?.progress({ done: files.length, total: input.sizes.length });
  }
  return { source: picture.path, format, files };
}

async function resizeImage(input: ResizeInput, limits: ImageLimits): Promise<ResizeResult> {
  const format = outputFormat(input);
  const picture = await readPicture(input.source, limits);
  const place = await placeOutput(input.output, picture, limits);
  const target = { ...toTargetSize(input), fit: input.fit, quality: input.quality, enlarge: input.enlarge, format };
  return { source: picture.path, format, ...(await writePicture(picture, target, { place, limits })) };
}

/** The source stays as it is: a second attempt would else begin from the result of the first. */
async function placeOutput(path: string, picture: Picture, limits: ImageLimits): Promise<OutputPlace> {
  const use = { doing: 'writing a picture', path };
  const place = await prepareOutput(limits.root, use);
  if (pathOf(place) === picture.path) throw fileRefusal({ ...use, reason: 'it is the source itself' });
  return place;
}

async function writePicture(
  picture: Picture,
  target: Target,
  { place, limits }: { place: OutputPlace; limits: ImageLimits },
): Promise<WrittenPicture> {
  const { bytes, width, height } = await resizePicture(picture, target, limits);
  currentContext()?.signal.throwIfAborted();
  await writeAtomically(place, bytes);
  return { path: pathOf(place), width, height, bytes: bytes.length };
}

function pathOf(place: OutputPlace): string {
  return posix.join(toPortable(relative(place.root, place.folder)), place.name);
}

const EXTENSION: Readonly<Record<OutputFormat, string>> = { jpeg: 'jpg', png: 'png', webp: 'webp', avif: 'avif' };

function formatOf({ format }: Picture): OutputFormat {
  return format === 'gif' || format === 'tiff' ? 'png' : format;
}

/** The name of the output says its format, and may say no other: so a job can only ever write over pictures. */
function outputFormat({ output, format }: ResizeInput): OutputFormat {
  const extension = extname(output).slice(1).toLowerCase();
  const named = extension === 'jpeg' ? 'jpeg' : FORMATS.find((one) => EXTENSION[one] === extension);
  const use = { doing: 'writing a picture', path: output };
  if (named === undefined)
    throw fileRefusal({ ...use, reason: 'its name must end in .jpg, .jpeg, .png, .webp or .avif' });
  if (format !== undefined && format !== named) {
    throw fileRefusal({ ...use, reason: `its name says ${named}, but the format asked for is ${format}` });
  }
  return named;
}

const FORMATS = Object.keys(EXTENSION) as OutputFormat[];

function nameOf({ path }: Picture): string {
  return basename(path, extname(path));
}

function toTargetSize({ width, height }: { width?: number | undefined; height?: number | undefined }) {
  return { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
}
