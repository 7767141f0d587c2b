/**
 * The HTML around a built-in e-mail: one column, styles inline and no pictures, as mail programs need it.
 *
 * @param parts.title what the e-mail is about
 * @param parts.paragraphs HTML with placeholders; the button stands after the first
 * @param parts.button its label; it leads to `{{url}}`
 */
export function page(parts: { title: string; paragraphs: readonly [string, ...string[]]; button: string }): string {
  const [first, ...rest] = parts.paragraphs;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${parts.title}</title>
</head>
<body style="margin:0;padding:24px;background:#f4f4f5;font-family:system-ui,-apple-system,'Segoe UI',sans-serif;color:#18181b">
<div style="max-width:520px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px;font-size:16px;line-height:1.5">
<h1 style="margin:0 0 16px;font-size:20px">${parts.title}</h1>
<p>Hello {{name|there}},</p>
<p>${first}</p>
<p style="margin:24px 0"><a href="{{url}}" style="display:inline-block;padding:12px 20px;background:#2563eb;color:#ffffff;text-decoration:none;border-radius:6px">${parts.button}</a></p>
<p style="font-size:13px;color:#52525b">If the button does not work, open this link:<br><a href="{{url}}" style="color:#2563eb;word-break:break-all">{{url}}</a></p>
${rest.map((paragraph) => `<p style="font-size:13px;color:#52525b">${paragraph}</p>`).join('\n')}
</div>
</body>
</html>
`;
}
