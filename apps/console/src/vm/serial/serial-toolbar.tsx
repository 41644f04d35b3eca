import { FormSelect, FormSelectOption, Label, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import type { Serial } from '@qmp-gateway/client';
import { ActionButton } from '../../access/action-button.js';
import { useVmClient } from '../../api/use-gateway.js';
import { saveFile } from '../../app/save-file.js';
import type { TerminalLine, SerialStanding } from './terminal-line.js';
import { LookSwitch, whyNotTyping } from '../typing/look-switch.js';

interface SerialToolbarProps {
  readonly vm: string;
  readonly line: Serial;
  readonly serials: readonly Serial[];
  readonly link: TerminalLine;
  readonly standing: SerialStanding;
  readonly isLooking: boolean;
  /** Why the reader may not type; absent where he may. */
  readonly whyLooking: string | undefined;
  readonly onLook: (isLooking: boolean) => void;
  readonly onChoose: (id: string) => void;
}

/** Which line, who types, and what a keyboard cannot say. */
export function SerialToolbar(props: SerialToolbarProps) {
  const { vm, line, serials, link, standing, isLooking, whyLooking, onLook, onChoose } = props;
  const client = useVmClient(vm);
  const download = async (): Promise<void> => saveFile([await client.serial(line.id).text()], `${vm}-${line.id}.txt`);
  return (
    <Toolbar className="qg-tools" aria-label="Serial line">
      <ToolbarContent>
        <ToolbarItem>
          <FormSelect
            aria-label="Serial line"
            value={line.id}
            onChange={(_, id) => onChoose(id)}
            isDisabled={serials.length < 2}
          >
            {serials.map(({ id, kind }) => (
              <FormSelectOption key={id} value={id} label={`${id} (${kind})`} />
            ))}
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem alignSelf="center">
          <TypistLabel standing={standing} isLooking={isLooking} />
        </ToolbarItem>
        <TypingTools {...{ link, standing, isLooking, whyLooking, onLook }} />
        <ToolbarItem align={{ default: 'alignEnd' }}>
          <ActionButton
            variant="secondary"
            onClick={() => void download()}
            does="Saves what the gateway keeps of its output: the newest 256 KiB."
          >
            Download
          </ActionButton>
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

type TypingToolsProps = Pick<SerialToolbarProps, 'link' | 'standing' | 'isLooking' | 'whyLooking' | 'onLook'>;

function TypingTools({ link, standing, isLooking, whyLooking, onLook }: TypingToolsProps) {
  const whyNot = whyNotTyping(isLooking, whyLooking);
  return (
    <>
      <ToolbarItem>
        <ActionButton
          variant="secondary"
          onClick={() => link.take()}
          whyNot={whyNot ?? (standing.isMine ? 'You type.' : undefined)}
          does="Types from now on in place of whoever does."
        >
          Take over
        </ActionButton>
      </ToolbarItem>
      <ToolbarItem>
        <ActionButton
          variant="secondary"
          onClick={() => link.sendBreak()}
          whyNot={whyNot}
          does="Sends a break, which many consoles take as a request for attention."
        >
          Send break
        </ActionButton>
      </ToolbarItem>
      <LookSwitch id="serial-look" {...{ isLooking, whyLooking, onLook }} />
    </>
  );
}

function TypistLabel({ standing, isLooking }: { readonly standing: SerialStanding; readonly isLooking: boolean }) {
  const { isOpen, typist, isMine, notice } = standing;
  if (notice !== undefined) return <Label status="warning">{notice}</Label>;
  if (!isOpen) return <Label status="info">Connecting</Label>;
  if (isMine) return <Label status="success">You type</Label>;
  if (typist !== null) return <Label color="blue">{typist} types</Label>;
  return <Label color="grey">{isLooking ? 'Looking' : 'Nobody types yet'}</Label>;
}
