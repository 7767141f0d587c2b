import { mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRetryable } from '../../../src/engine/core/retry-policy.ts';
import type { ImageOptions } from '../../../src/tasks/builtin-options.ts';
import { imageTasks } from '../../../src/tasks/images/image-tasks.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createTestEnvironment, runTask } from '../task-context.ts';
import { createBomb, createPicture, readMetadata, readPixel } from './pictures.ts';

type Tasks = ReturnType<typeof imageTasks>;

/** The working directory holds `photos`, the allowed root, and `outside`. */
function withTasks(test: (tasks: Tasks, root: string, cwd: string) => Promise<void>, options: ImageOptions = {}) {
  return withTempDir(async (folder) => {
    const cwd = await realpath(folder);
    const root = join(cwd, 'photos');
    await mkdir(root);
    await mkdir(join(cwd, 'outside'));
    await test(imageTasks({ root: 'photos', ...options }, createTestEnvironment(cwd)), root, cwd);
  });
}

const refused = (reason: RegExp) =>
  expect.objectContaining({ code: 'FILE_REFUSED', message: expect.stringMatching(reason) });

describe('image.thumbnail', () => {
  it('makes several sizes in one call, upright and without metadata', () =>
    withTasks(async (tasks, root) => {
      // Orientation 6: what is stored as 80 x 40 is to be seen turned right, so as 40 x 80 with red on top.
      const stored = createPicture(80, 40)
        .withExif({ IFD0: { Copyright: 'me' } })
        .withMetadata({ orientation: 6 });
      await stored.jpeg().toFile(join(root, 'cat.photo.jpg'));
      const progress: unknown[] = [];
      const result = await runTask(
        tasks['image.thumbnail'],
        { source: 'cat.photo.jpg', sizes: [20, { width: 10 }, { width: 16, height: 16, suffix: 'tiny' }] },
        { onProgress: (value) => progress.push(value) },
      );
      expect(result).toMatchObject({
        source: 'cat.photo.jpg',
        format: 'jpeg',
        files: [
          { path: 'cat.photo-20.jpg', width: 10, height: 20 },
          { path: 'cat.photo-10.jpg', width: 10, height: 20 },
          { path: 'cat.photo-tiny.jpg', width: 8, height: 16 },
        ],
      });
      expect(await readdir(root)).toHaveLength(4);
      const metadata = await readMetadata(join(root, 'cat.photo-20.jpg'));
      expect(metadata).toMatchObject({ format: 'jpeg', width: 10, height: 20 });
      expect(metadata.exif).toBeUndefined();
      expect(metadata.orientation).toBeUndefined();
      expect(await readPixel(join(root, 'cat.photo-20.jpg'), 5, 2)).toBe('100');
      expect(await readPixel(join(root, 'cat.photo-20.jpg'), 5, 17)).toBe('001');
      expect(progress).toEqual([1, 2, 3].map((done) => ({ done, total: 3 })));
    }));

  it.each([
    ['inside', 20, 10],
    ['outside', 40, 20],
    ['cover', 20, 20],
    ['contain', 20, 20],
    ['fill', 20, 20],
  ] as const)('fits %s', (fit, width, height) =>
    withTasks(async (tasks, root) => {
      await createPicture(80, 40).png().toFile(join(root, 'a.png'));
      const { files } = await runTask(tasks['image.thumbnail'], { source: 'a.png', sizes: [20], fit });
      expect(files).toMatchObject([{ path: 'a-20.png', width, height }]);
    }),
  );

  it('never enlarges unless asked', () =>
    withTasks(async (tasks, root) => {
      await createPicture(8, 4).png().toFile(join(root, 'a.png'));
      const input = { source: 'a.png', sizes: [40] };
      expect((await runTask(tasks['image.thumbnail'], input)).files).toMatchObject([{ width: 8, height: 4 }]);
      const enlarged = await runTask(tasks['image.thumbnail'], { ...input, enlarge: true });
      expect(enlarged.files).toMatchObject([{ width: 40, height: 20 }]);
    }));

  it.each([
    ['jpeg', 'jpg', 'jpeg'],
    ['png', 'png', 'png'],
    ['webp', 'webp', 'webp'],
    ['avif', 'avif', 'heif'],
  ] as const)(
    'writes %s into a folder that it makes, and a lower quality makes a smaller file',
    (format, ending, read) =>
      withTasks(async (tasks, root) => {
        const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
        const { default: sharp } = await import('sharp');
        await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888', noise } })
          .tiff()
          .toFile(join(root, 'a.tiff'));
        const make = (quality: number) =>
          runTask(tasks['image.thumbnail'], { source: 'a.tiff', sizes: [64], output: 'new/thumbs', format, quality });
        const [fine, coarse] = [await make(90), await make(20)];
        expect(fine.files[0]?.path).toBe(`new/thumbs/a-64.${ending}`);
        expect((await readMetadata(join(root, `new/thumbs/a-64.${ending}`))).format).toBe(read);
        expect((coarse.files[0]?.bytes ?? 0) < (fine.files[0]?.bytes ?? 0)).toBe(format !== 'png');
      }),
  );

  it('keeps the format of the source, and makes PNG of a GIF or TIFF', () =>
    withTasks(async (tasks, root) => {
      const formats = { jpeg: 'jpeg', png: 'png', webp: 'webp', avif: 'avif', gif: 'png', tiff: 'png' } as const;
      for (const [source, format] of Object.entries(formats)) {
        await createPicture(16, 16)
          .toFormat(source as keyof typeof formats)
          .toFile(join(root, source));
        expect((await runTask(tasks['image.thumbnail'], { source, sizes: [8] })).format).toBe(format);
      }
    }));

  it('paints what is transparent white in a JPEG', () =>
    withTasks(async (tasks, root) => {
      const { default: sharp } = await import('sharp');
      const clear = { r: 0, g: 0, b: 0, alpha: 0 };
      await sharp({ create: { width: 9, height: 9, channels: 4, background: clear } })
        .png()
        .toFile(join(root, 'a.png'));
      await runTask(tasks['image.thumbnail'], { source: 'a.png', sizes: [9], format: 'jpeg' });
      expect(await readPixel(join(root, 'a-9.jpg'), 4, 4)).toBe('111');
    }));

  it('refuses what is not a picture, whatever its name says, and does not retry it', () =>
    withTasks(async (tasks, root) => {
      const jpeg = await createPicture(200, 200).jpeg().toBuffer();
      const contents: [string, string | Buffer, RegExp][] = [
        ['text.jpg', 'hello, I am a text', /not a JPEG, PNG/],
        ['empty.png', '', /not a JPEG, PNG/],
        ['drawing.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', /not a JPEG, PNG/],
        ['paper.jpg', '%PDF-1.7', /not a JPEG, PNG/],
        ['start.jpg', jpeg.subarray(0, 20), /cannot be read as one/],
        ['half.jpg', jpeg.subarray(0, jpeg.length / 2), /damaged or cannot be decoded/],
        ['lie.png', Buffer.from('\x89PNG\r\n\x1a\nand nothing else', 'latin1'), /cannot be read as one/],
      ];
      const task = tasks['image.thumbnail'];
      for (const [source, content, reason] of contents) {
        await writeFile(join(root, source), content);
        const error = await runTask(task, { source, sizes: [10] }).catch((thrown: unknown) => thrown);
        expect(error).toEqual(refused(reason));
        expect(isRetryable(error, task.retry)).toBe(false);
      }
      expect(await readdir(root)).toHaveLength(contents.length);
    }));

  it('reads a picture whose name says nothing', () =>
    withTasks(async (tasks, root) => {
      await createPicture(8, 8).png().toFile(join(root, 'upload.txt'));
      const { files } = await runTask(tasks['image.thumbnail'], { source: 'upload.txt', sizes: [4] });
      expect(files[0]?.path).toBe('upload-4.png');
    }));

  it('refuses a decompression bomb by its header', () =>
    withTasks(async (tasks, root) => {
      await writeFile(join(root, 'bomb.png'), createBomb(60_000, 60_000));
      await expect(runTask(tasks['image.thumbnail'], { source: 'bomb.png', sizes: [10] })).rejects.toEqual(
        refused(/it has 60000 x 60000 pixels, the limit is 100000000/),
      );
    }));

  it('holds to the limits of the app, for what is read and what is written', () =>
    withTasks(
      async (tasks, root) => {
        await createPicture(40, 20).png().toFile(join(root, 'a.png'));
        await createPicture(41, 30).png().toFile(join(root, 'b.png'));
        await writeFile(join(root, 'c.png'), Buffer.alloc(5001));
        const run = (source: string, more = {}) =>
          runTask(tasks['image.thumbnail'], { source, sizes: [{ width: 30 }], ...more });
        expect((await run('a.png')).files).toHaveLength(1);
        await expect(run('b.png')).rejects.toEqual(refused(/41 x 30 pixels, the limit is 1200/));
        await expect(run('c.png')).rejects.toEqual(refused(/5001 bytes, the limit is 5000/));
        await expect(run('a.png', { sizes: [{ width: 60 }], enlarge: true })).rejects.toEqual(
          refused(/would have 1800/),
        );
        await expect(run('a.png', { sizes: [50], fit: 'fill' })).rejects.toEqual(refused(/would have 2500/));
      },
      { maxPixels: 1200, maxBytes: 5000 },
    ));

  it('refuses paths that lead out of the root, for the source and for the output', () =>
    withTasks(async (tasks, root, cwd) => {
      await createPicture(8, 8)
        .png()
        .toFile(join(cwd, 'outside', 'a.png'));
      await createPicture(8, 8).png().toFile(join(root, 'b.png'));
      await symlink(join(cwd, 'outside'), join(root, 'linked'));
      await symlink(join(cwd, 'outside/a.png'), join(root, 'link.png'));
      const sources = ['../outside/a.png', join(cwd, 'outside/a.png'), 'linked/a.png', 'link.png'];
      for (const source of sources) {
        await expect(runTask(tasks['image.thumbnail'], { source, sizes: [4] })).rejects.toEqual(
          refused(/leads outside/),
        );
      }
      for (const output of ['..', '../outside', 'linked', 'linked/new', cwd]) {
        const run = runTask(tasks['image.thumbnail'], { source: 'b.png', sizes: [4], output });
        await expect(run).rejects.toEqual(refused(/leads outside/));
      }
      expect(await readdir(join(cwd, 'outside'))).toEqual(['a.png']);
    }));

  it('stops between two sizes when its job is aborted', () =>
    withTasks(async (tasks, root) => {
      await createPicture(8, 8).png().toFile(join(root, 'a.png'));
      const abort = new AbortController();
      const reason = new Error('the worker stops');
      const run = runTask(
        tasks['image.thumbnail'],
        { source: 'a.png', sizes: [4, 5, 6] },
        { signal: abort.signal, onProgress: () => abort.abort(reason) },
      );
      await expect(run).rejects.toBe(reason);
      expect((await readdir(root)).toSorted()).toEqual(['a-4.png', 'a.png']);
    }));

  it.each([
    [{ sizes: [] }, 'at least one size'],
    [{ sizes: [0] }, 'sizes.0 must be'],
    [{ sizes: [20_000] }, 'sizes.0 must be'],
    [{ sizes: [1.5] }, 'sizes.0 must be'],
    [{ sizes: [{ width: 5, suffix: '../x' }] }, 'sizes.0.suffix'],
    [{ sizes: [10, { width: 10 }] }, 'two sizes that would get the same file name'],
    [{ sizes: [10], quality: 101 }, 'quality must be a whole number from 1 to 100'],
    [{ sizes: [10], format: 'svg' }, 'format must be'],
    [{ sizes: [10], fit: 'squeeze' }, 'fit must be'],
    [{ sizes: [10], widht: 5 }, 'widht is not known here'],
  ])('refuses %j at the call', (input, message) =>
    withTasks(async (tasks) => {
      await expect(runTask(tasks['image.thumbnail'], { source: 'a.png', ...input } as never)).rejects.toThrow(message);
    }),
  );
});

describe('image.resize', () => {
  it('writes one picture in another size and format', () =>
    withTasks(async (tasks, root) => {
      await createPicture(80, 40).png().toFile(join(root, 'a.png'));
      const input = { source: 'a.png', output: 'small/a.webp', width: 20 };
      expect(await runTask(tasks['image.resize'], input)).toEqual({
        source: 'a.png',
        format: 'webp',
        path: 'small/a.webp',
        width: 20,
        height: 10,
        bytes: expect.any(Number),
      });
      expect(await readMetadata(join(root, 'small/a.webp'))).toMatchObject({ format: 'webp', width: 20, height: 10 });
      expect(await runTask(tasks['image.resize'], { ...input, output: 'b.JPEG', height: 5 })).toMatchObject({
        format: 'jpeg',
        width: 10,
        height: 5,
      });
    }));

  it('refuses an output that is the source, has no name of a picture, or one that contradicts the format', () =>
    withTasks(async (tasks, root) => {
      await createPicture(8, 8).png().toFile(join(root, 'a.png'));
      await symlink(root, join(root, 'same'));
      const run = (output: string, more = {}) =>
        runTask(tasks['image.resize'], { source: 'a.png', output, width: 4, ...more });
      await expect(run('a.png')).rejects.toEqual(refused(/the source itself/));
      await expect(run('same/a.png')).rejects.toEqual(refused(/the source itself/));
      await expect(run('config.json')).rejects.toEqual(refused(/must end in/));
      await expect(run('b.jpg', { format: 'png' })).rejects.toEqual(
        refused(/says jpeg, but the format asked for is png/),
      );
      await expect(run('../b.jpg')).rejects.toEqual(refused(/leads outside/));
    }));

  it('needs a width or a height', () =>
    withTasks(async (tasks) => {
      await expect(runTask(tasks['image.resize'], { source: 'a.png', output: 'b.png' })).rejects.toThrow(
        'needs a width, a height or both',
      );
    }));

  it('replaces a file that is there, and leaves no temporary one behind', () =>
    withTasks(async (tasks, root) => {
      await createPicture(8, 8).png().toFile(join(root, 'a.png'));
      await writeFile(join(root, 'b.png'), 'old');
      await runTask(tasks['image.resize'], { source: 'a.png', output: 'b.png', width: 4 });
      expect((await readdir(root)).toSorted()).toEqual(['a.png', 'b.png']);
      expect(await readMetadata(join(root, 'b.png'))).toMatchObject({ width: 4 });
    }));
});
