import { Button, CodeBlock, CodeBlockCode, Flex } from '@patternfly/react-core';
import { bytesText } from '../../units/quantities.js';
import { textOfFile, type ReadFile } from './file-reading.js';
import { saveFile } from '../../app/save-file.js';

/** A file that was read: to save, and to look at where it is text. */
export function FileShown({ file }: { readonly file: ReadFile }) {
  const { path, bytes, parts } = file;
  const shown = textOfFile(file);
  return (
    <Flex direction={{ default: 'column' }} gap={{ default: 'gapSm' }} className="qg-agent-file">
      <Flex gap={{ default: 'gapMd' }} alignItems={{ default: 'alignItemsCenter' }}>
        <span className="qg-wrapped">
          <span className="qg-mono">{path}</span>: {bytesText(bytes)}
          {shown === undefined ? ', not a text' : shown.cut ? ', of which the beginning is shown' : ''}
        </span>
        <Button variant="secondary" size="sm" onClick={() => saveFile([...parts], path)}>
          Save
        </Button>
      </Flex>
      {shown === undefined || shown.text === '' ? null : (
        <CodeBlock>
          <CodeBlockCode className="qg-agent-output" data-testid="file-text">
            {shown.text}
          </CodeBlockCode>
        </CodeBlock>
      )}
    </Flex>
  );
}
