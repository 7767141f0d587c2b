import { createApp } from './create-app.ts';

/** An app with the built-in tasks alone: what the children of a worker load that was given no module. */
export const app = createApp();
