import type { Template } from '../template.ts';
import { page } from './page.ts';

/** Values: `url`; `name` and `product` if there are any. */
export const verification: Template = {
  subject: 'Confirm your e-mail address',
  text: `Hello {{name|there}},

please confirm this e-mail address for {{product|your account}} by opening this link:

{{url}}

If you did not ask for this, you can ignore this e-mail.
`,
  html: page({
    title: 'Confirm your e-mail address',
    paragraphs: [
      'please confirm this e-mail address for {{product|your account}}.',
      'If you did not ask for this, you can ignore this e-mail.',
    ],
    button: 'Confirm e-mail address',
  }),
};
