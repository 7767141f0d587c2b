import type { Template } from '../template.ts';
import { page } from './page.ts';

/** Values: `url`; `name` and `product` if there are any. */
export const passwordReset: Template = {
  subject: 'Reset your password',
  text: `Hello {{name|there}},

someone asked to reset the password for {{product|your account}}. To choose a new one, open this link:

{{url}}

If it was not you, ignore this e-mail: your password stays as it is.
`,
  html: page({
    title: 'Reset your password',
    paragraphs: [
      'someone asked to reset the password for {{product|your account}}. To choose a new one, press the button.',
      'If it was not you, ignore this e-mail: your password stays as it is.',
    ],
    button: 'Choose a new password',
  }),
};
