import type { Sharp } from 'sharp';
import { fileRefusal } from '../refusal.ts';
import type { OutputFormat, ThumbnailInput } from './image-input.ts';
import type { ImageLimits, Picture } from './picture.ts';

export interface Target {
  readonly width?: number;
  readonly height?: number;
  readonly fit: ThumbnailInput['fit'];
  readonly format: OutputFormat;
  readonly quality: number;
  readonly enlarge: boolean;
}

export interface ResizedPicture {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}

/**
 * Makes a picture of another size: upright by its EXIF orientation, in sRGB, without any metadata (no place, no camera),
 * of an animation the first frame. What was transparent is white in a JPEG.
 *
 * @throws FILE_REFUSED when the content is broken, or the target has more pixels than allowed
 */
export async function resizePicture(picture: Picture, target: Target, limits: ImageLimits): Promise<ResizedPicture> {
  const use = { doing: 'resizing a picture', path: picture.source };
  const pixels = mostPixels(picture, target);
  if (pixels > limits.maxPixels) {
    const reason = `the size asked for would have ${Math.round(pixels)} pixels, the limit is ${limits.maxPixels}`;
    throw fileRefusal({ ...use, reason });
  }
  const { default: sharp } = await import('sharp');
  try {
    const resized = sharp(picture.bytes, { limitInputPixels: limits.maxPixels, failOn: 'error' })
      .autoOrient()
      .resize({
        ...(target.width !== undefined && { width: target.width }),
        ...(target.height !== undefined && { height: target.height }),
        fit: target.fit,
        withoutEnlargement: !target.enlarge,
        background: target.format === 'jpeg' ? '#ffffff' : { r: 0, g: 0, b: 0, alpha: 0 },
      });
    const { data, info } = await encode(resized, target).toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height };
  } catch (error) {
    throw fileRefusal({ ...use, reason: 'its content is damaged or cannot be decoded' }, error);
  }
}

function encode(image: Sharp, { format, quality }: Target): Sharp {
  if (format === 'jpeg') return image.flatten({ background: '#ffffff' }).jpeg({ quality });
  if (format === 'png') return image.png();
  return image.toFormat(format, { quality });
}

/** No fewer pixels than the result will have, so that enlarging cannot be used to fill the memory. */
function mostPixels(picture: Picture, { width, height, fit, enlarge }: Target): number {
  const across = (width ?? 0) / picture.width;
  const down = (height ?? 0) / picture.height;
  if (width !== undefined && height !== undefined && fit !== 'outside') return width * height;
  const scale = Math.max(across, down);
  return picture.width * picture.height * (enlarge ? scale : Math.min(scale, 1)) ** 2;
}
