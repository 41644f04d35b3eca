import { list, text } from '../http/resource/field-type.js';
import { invalid } from '../http/resource/read-shape.js';
import { Optional } from '../http/resource/shape.js';
import { parseVmSelector, type VmSelector } from './vm-selector.js';

/** The members by which VMs are selected, for classes that cannot extend {@link VmSelection}. */
export const vmSelectionFields = {
  vm: [list(text()), 'Ids of VMs, as globs'],
  label: [list(text()), 'Labels VMs must have, as `key=value`'],
} as const;

/** Query of resources that are about several VMs. */
export class VmSelection {
  @Optional(...vmSelectionFields.vm)
  vm: string[] | undefined = undefined;

  @Optional(...vmSelectionFields.label)
  label: string[] | undefined = undefined;

  /** @throws Problem `invalid-request` */
  selector(): VmSelector {
    const { selector, faults } = parseVmSelector(this.vm ?? [], this.label ?? []);
    if (faults.length > 0) throw invalid('query', faults);
    return selector;
  }
}
