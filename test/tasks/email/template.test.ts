import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../src/tasks/email/template.ts';
import { readTemplate } from '../../../src/tasks/email/template-folder.ts';
import { withTempDir } from '../../support/temp-dir.ts';

const refuse = (reason: string): Error => new Error(reason);
const render = (html: string, values: Record<string, string | number | boolean>) =>
  renderTemplate({ html }, values, refuse).html;

describe('renderTemplate', () => {
  it('escapes values in the HTML and nowhere else', () => {
    const part = 'Hi {{name}}';
    const values = { name: `<script>alert("1" & '2')</script>` };
    expect(renderTemplate({ subject: part, text: part, html: part }, values, refuse)).toEqual({
      subject: `Hi ${values.name}`,
      text: `Hi ${values.name}`,
      html: 'Hi &lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;',
    });
  });

  it('never lets a value become a tag or leave its attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`<>"'&=/ a;{}|$`), minLength: 1 }), (value) => {
        const html = render('<b title="{{v}}">{{v}}</b>', { v: value }) ?? '';
        const inside = html.slice('<b title="'.length, -'</b>'.length);
        expect(html.match(/[<>]/g)).toHaveLength(4);
        expect(html.match(/"/g)).toHaveLength(2);
        expect(inside).not.toContain("'");
      }),
    );
  });

  it('does not fill placeholders that a value brings along, nor obeys $ in it', () => {
    expect(render('{{a}}', { a: '{{b}} $& $1', b: 'secret' })).toBe('{{b}} $&amp; $1');
  });

  it('names every missing value of all parts', () => {
    const template = { subject: '{{one}}', text: '{{two}} {{given}}', html: '{{one}} {{three}}' };
    expect(() => renderTemplate(template, { given: 1 }, refuse)).toThrow(
      'it needs the values "one", "two", "three", which `context` does not have',
    );
  });

  it('does not take a value from the prototype', () => {
    expect(() => render('{{constructor}}', {})).toThrow('"constructor"');
    expect(() => render('{{toString}}', {})).toThrow('"toString"');
  });

  it('takes the default of a placeholder when its value is absent or empty', () => {
    expect(render('Hi {{name|there}}', {})).toBe('Hi there');
    expect(render('Hi {{ name | you all }}', { name: '' })).toBe('Hi you all');
    expect(render('Hi {{name|there}}', { name: 'Ada' })).toBe('Hi Ada');
    expect(render('{{n|1}} {{f|yes}}', { n: 0, f: false })).toBe('0 false');
  });

  it.each(['{{#if a}}', '{{ a.b }}', '{{}}', '{{a', '{{a}}{{1}}'])('refuses %s, which is no placeholder', (html) => {
    expect(() => render(html, { a: 'x' })).toThrow('is not a placeholder');
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'mailto:a@b.example',
    '//evil.example',
    'no link',
    '',
  ])('refuses %j as a link', (url) => {
    for (const html of ['<a href="{{url}}">x</a>', "<img src = '{{url}}'>", '<a title="a>b" HREF="{{url}}/more">']) {
      expect(() => render(html, { url })).toThrow('"url" must be a link that starts with https:// or http://');
    }
  });

  it('writes a link so that it cannot leave its attribute', () => {
    expect(render('<a href="{{url}}">', { url: 'https://a.example/?a=1&b="><script>' })).toBe(
      '<a href="https://a.example/?a=1&amp;b=%22%3E%3Cscript%3E">',
    );
    expect(render('<a href="https://a.example/{{id}}">', { id: '"x' })).toBe('<a href="https://a.example/&quot;x">');
  });

  it('refuses a placeholder in an attribute without quotes', () => {
    expect(() => render('<p class={{a}}>', { a: 'x' })).toThrow('stands in an attribute without quotes');
    expect(render('<p>a = {{a}}</p>', { a: 'x' })).toBe('<p>a = x</p>');
  });
});

describe('readTemplate', () => {
  it.each(['verification', 'password-reset', 'welcome'])('has %s with a subject, a text and an HTML', async (name) => {
    const template = await readTemplate(name, undefined, refuse);
    const filled = renderTemplate(template, { url: 'https://a.example/x', name: '<Ada>', product: 'Shop' }, refuse);
    expect(filled.subject).toMatch(/^[A-Z].+/);
    expect(filled.text).toContain('Hello <Ada>,');
    expect(filled.text).toContain('https://a.example/x');
    expect(filled.html).toContain('Hello &lt;Ada&gt;,');
    expect(filled.html).toContain('href="https://a.example/x"');
    expect(filled.html).toContain('Shop');
    expect(() => renderTemplate(template, {}, refuse)).toThrow('needs the value "url"');
  });

  it.each(['../welcome', 'a/b', '..', '.hidden', 'welcome.html', 'a\0b', '', '/etc/passwd', 'a\\b'])(
    'refuses the name %j',
    async (name) => {
      await expect(readTemplate(name, '/tmp', refuse)).rejects.toThrow('its name must be letters');
    },
  );

  it('says which templates there are, or which was meant', async () => {
    await expect(readTemplate('welcom', undefined, refuse)).rejects.toThrow('did you mean "welcome"?');
    await expect(readTemplate('invoice', undefined, refuse)).rejects.toThrow(
      'there is none of that name; known are verification, password-reset, welcome',
    );
  });

  it('prefers the files of a folder, and takes the subject that comes with tq when there is no own', () =>
    withTempDir(async (folder) => {
      await writeFile(join(folder, 'welcome.html'), '<p>Own {{url}}</p>');
      const own = await readTemplate('welcome', folder, refuse);
      expect(own).toEqual({ subject: 'Welcome to {{product|your new account}}', html: '<p>Own {{url}}</p>' });
      await writeFile(join(folder, 'verification.subject.txt'), 'Own subject\n');
      const subjectOnly = await readTemplate('verification', folder, refuse);
      expect(subjectOnly).toMatchObject({ subject: 'Own subject', text: expect.stringContaining('{{url}}') });
      await writeFile(join(folder, 'invoice.txt'), 'Pay {{sum}}');
      expect(await readTemplate('invoice', folder, refuse)).toEqual({ text: 'Pay {{sum}}' });
      await expect(readTemplate('none-such', folder, refuse)).rejects.toThrow(`and those in ${folder}`);
    }));

  it('refuses when the folder is not there, and passes on a file error', () =>
    withTempDir(async (folder) => {
      await expect(readTemplate('welcome', join(folder, 'none'), refuse)).rejects.toThrow('does not exist');
      await mkdir(join(folder, 'welcome.html'));
      await expect(readTemplate('welcome', folder, refuse)).rejects.toMatchObject({ code: 'EISDIR' });
    }));
});
