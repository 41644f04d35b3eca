import { OperationsView } from '../../operations/operations-view.js';
import type { VmTabProps } from '../tabs.js';

/** Operations on one VM. */
export default function OperationsTab({ vm }: VmTabProps) {
  return <OperationsView vm={vm} />;
}
