import type { Template } from '../template.ts';
import { page } from './page.ts';

/** Values: `url`, where to begin; `name` and `product` if there are any. */
export const welcome: Template = {
  subject: 'Welcome to {{product|your new account}}',
  text: `Hello {{name|there}},

welcome to {{product|your new account}}. This is where to begin:

{{url}}
`,
  html: page({
    title: 'Welcome',
    paragraphs: ['welcome to {{product|your new account}}. It is ready for you.'],
    button: 'Get started',
  }),
};
