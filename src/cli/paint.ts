/** Gives text a meaning that a terminal shows as a colour. */
export type Paint = (tone: Tone, text: string) => string;

export type Tone = 'plain' | 'title' | 'faint' | 'good' | 'bad' | 'busy' | 'waiting';

export const plainPaint: Paint = (_tone, text) => text;

/** Loads chalk, so only call it where colours are wanted. Sixteen colours: every theme of a terminal keeps them readable. */
export async function createPaint(): Promise<Paint> {
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  const styles: Record<Tone, (text: string) => string> = {
    plain: (text) => text,
    title: chalk.bold,
    faint: chalk.dim,
    good: chalk.green,
    bad: chalk.red,
    busy: chalk.cyan,
    waiting: chalk.yellow,
  };
  return (tone, text) => styles[tone](text);
}
