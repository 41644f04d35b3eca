import {
  Alert,
  Button,
  EmptyState,
  EmptyStateBody,
  Skeleton,
  ToggleGroup,
  ToggleGroupItem,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import { CubesIcon } from '@patternfly/react-icons/dist/esm/icons/cubes-icon.js';
import type { VmSchema } from '@qmp-gateway/client';
import { lazy, Suspense, useCallback, useState } from 'react';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { AnswerTree } from '../commands/answer-tree.js';
import { useVmSchema } from '../commands/schema-memory.js';
import type { VmTabProps } from '../tabs.js';
import { askBlocks, hasBlocks, type BlockPicture } from './ask-blocks.js';
import { GraphTree } from './graph-tree.js';
import '../../forms/forms.css';
import '../commands/commands.css';

/** With its library, fetched when a graph is there to be drawn. */
const GraphPicture = lazy(() => import('./graph-picture.js'));

/** Jobs move on: the graph is asked for so often while somebody looks. */
const everyMs = 5_000;

/** The block graph of a VM: drives, nodes, backing chains, and the jobs on them. */
export default function BlocksTab({ vm }: VmTabProps) {
  return (
    <Asked answer={useVmSchema(vm)} what="The list of commands">
      {(schema) =>
        hasBlocks(schema) ? (
          <Blocks vm={vm} schema={schema} />
        ) : (
          <EmptyState titleText="No block graph" headingLevel="h2" icon={CubesIcon}>
            <EmptyStateBody>This VM has no command that lists its block nodes.</EmptyStateBody>
          </EmptyState>
        )
      }
    </Asked>
  );
}

function Blocks({ vm, schema }: { readonly vm: string; readonly schema: VmSchema }) {
  const { client } = useGateway();
  const question = useCallback((signal: AbortSignal) => askBlocks(client.vm(vm), schema, signal), [client, vm, schema]);
  const answer = useAnswer(question, everyMs);
  const [view, setView] = useState<'picture' | 'tree'>('picture');
  const [chosen, setChosen] = useState<string>();
  return (
    <div className="qg-fields">
      <Toolbar isStatic>
        <ToolbarContent>
          <ToolbarItem>
            <ToggleGroup aria-label="Block graph as">
              <ToggleGroupItem text="Picture" isSelected={view === 'picture'} onChange={() => setView('picture')} />
              <ToggleGroupItem text="Tree" isSelected={view === 'tree'} onChange={() => setView('tree')} />
            </ToggleGroup>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" onClick={answer.again}>
              Ask again
            </Button>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <Asked answer={answer} what="The block graph">
        {(picture) => <GraphView picture={picture} view={view} chosen={chosen} onChoose={setChosen} />}
      </Asked>
    </div>
  );
}

function GraphView({
  picture: { graph, details },
  view,
  chosen,
  onChoose,
}: {
  readonly picture: BlockPicture;
  readonly view: 'picture' | 'tree';
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  if (graph.nodes.length === 0)
    return (
      <EmptyState titleText="No block devices" headingLevel="h2" icon={CubesIcon}>
        <EmptyStateBody>The VM runs without any. A drive that is plugged in appears here.</EmptyStateBody>
      </EmptyState>
    );
  const node = graph.nodes.find(({ id }) => id === chosen);
  const detail = node === undefined ? undefined : (details.get(node.name) ?? withoutUndefined(node));
  return (
    <div className="qg-fields">
      {graph.isGuessed ? (
        <Alert component="p" isInline variant="info" title="This VM does not say which node uses which">
          The lines are guessed from file names; some may be missing.
        </Alert>
      ) : null}
      {view === 'tree' ? (
        <GraphTree graph={graph} onChoose={onChoose} />
      ) : (
        <Suspense fallback={<Skeleton screenreaderText="Drawing" height="20rem" />}>
          <GraphPicture graph={graph} chosen={chosen} onChoose={onChoose} />
        </Suspense>
      )}
      {node === undefined ? null : (
        <AnswerTree value={detail} name={node.name} title={`${node.name}, as the VM describes it`} />
      )}
    </div>
  );
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
