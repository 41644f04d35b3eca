import type { CommandContext } from '../command-context.js';
import { exitStatus, usageFault, type ExitStatus } from '../exit-status.js';

/** The part that knows the shell; what may follow a line is asked of this program. */
const scripts: Readonly<Record<string, (program: string) => string>> = {
  bash: (program) => {
    const name = `_${program.replaceAll(/\W/g, '_')}_complete`;
    return `# bash completion for ${program}
${name}() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
    ${program} __complete --shell bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null
  )
  # A key or a directory goes on without a space.
  case "\${COMPREPLY[0]-}" in
    *=|*.|*/) [ "\${#COMPREPLY[@]}" -eq 1 ] && compopt -o nospace ;;
  esac
}
complete -o default -F ${name} ${program}
`;
  },
  zsh: (program) => {
    const name = `_${program.replaceAll(/\W/g, '_')}_complete`;
    return `#compdef ${program}
${name}() {
  local -a whole begun
  local text
  while IFS= read -r text; do
    case "$text" in
      *=|*.|*/) begun+=("$text") ;;
      ?*) whole+=("$text") ;;
    esac
  done < <(${program} __complete --shell zsh -- "$LBUFFER" 2>/dev/null)
  compadd -Q -a whole
  compadd -Q -S '' -a begun
  (( \${#whole} + \${#begun} )) || _files
}
compdef ${name} ${program}
`;
  },
  fish: (program) => `# fish completion for ${program}
function __${program.replaceAll(/\W/g, '_')}_complete
    ${program} __complete --shell fish -- (commandline --cut-at-cursor --current-process | string collect) 2>/dev/null
end
complete -c ${program} -f -a '(__${program.replaceAll(/\W/g, '_')}_complete)'
complete -c ${program} -n '__fish_seen_subcommand_from cp screen' -F
`,
};

/** `completion`: the script for a shell. */
export function writeScript({ output, program }: CommandContext, shell: string): Promise<ExitStatus> {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw usageFault(`no completion for ${shell}`, `it is one of ${Object.keys(scripts).join(', ')}`);
  output.write(script(program));
  return Promise.resolve(exitStatus.done);
}
