import { ClipboardCopy, ClipboardCopyVariant, ExpandableSection, FormGroup } from '@patternfly/react-core';
import { gatewayUrl } from '../../app/gateway-url.js';
import { curlLine, jsonRpcLine } from './command-lines.js';

/** The command for a terminal and for a program, to be copied. */
export function CommandLines({
  vm,
  command,
  text,
}: {
  readonly vm: string;
  readonly command: string;
  readonly text: string | undefined;
}) {
  return (
    <ExpandableSection toggleText="For a terminal and for programs" isIndented>
      <div className="qg-fields">
        <Line title="curl, with the token in QMPGW_TOKEN" text={curlLine(gatewayUrl, vm, command, text)} />
        <Line title="JSON-RPC over /v1/ws" text={jsonRpcLine(vm, command, text)} />
      </div>
    </ExpandableSection>
  );
}

function Line({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <FormGroup label={title} role="group">
      <ClipboardCopy
        isReadOnly
        isCode
        hoverTip="Copy"
        clickTip="Copied"
        variant={ClipboardCopyVariant.expansion}
        textAriaLabel={title}
        toggleAriaLabel={`Show all of: ${title}`}
      >
        {text}
      </ClipboardCopy>
    </FormGroup>
  );
}
