import { type CommandIndex, defineStandalone } from '../command.ts';
import { loadCommandTree } from '../completion/command-tree.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export const completion = defineStandalone({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  details: 'It completes commands, options and their values, and asks tq for the names of tasks, queues and jobs.',
  arguments: [{ name: '<shell>', summary: 'the shell', choices: SHELLS }],
  examples: [
    { command: 'tq completion bash', does: 'for bash: put `source <(tq completion bash)` into ~/.bashrc' },
    { command: 'tq completion zsh', does: 'for zsh: save it as _tq in a folder of $fpath' },
    { command: 'tq completion fish', does: 'for fish: save it as ~/.config/fish/completions/tq.fish' },
  ],
  json: ['shell', 'script'],
  toInput: ({ arguments: [shell] }) => shell as Shell,
  async answer(shell, { index }) {
    const script = await createScript(shell, index);
    return { json: { shell, script }, blocks: [{ kind: 'verbatim', text: script }] };
  },
});

/** The completion script of a shell, made of the declarations of all commands. */
export async function createScript(shell: Shell, index: CommandIndex): Promise<string> {
  const tree = await loadCommandTree(index);
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).formatBash(tree);
    case 'zsh':
      return (await import('../completion/zsh.ts')).formatZsh(tree);
    case 'fish':
      return (await import('../completion/fish.ts')).formatFish(tree);
  }
}
