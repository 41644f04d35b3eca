import { Button, Flex, FlexItem } from '@patternfly/react-core';
import { ArrowUpIcon } from '@patternfly/react-icons/dist/esm/icons/arrow-up-icon.js';
import { MinusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon.js';
import { PlusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon.js';
import type { FieldPlace } from './field-place.js';
import type { ListState } from './field-state.js';
import { typeLabel } from './field-types.js';
import { FieldView } from './field-view.js';
import { useForm } from './form-context.js';

/** The items of a list, in their order. */
export function ListControl({
  element,
  state,
  place,
}: {
  readonly element: string;
  readonly state: ListState;
  readonly place: FieldPlace;
}) {
  const { form, edit } = useForm();
  const type = form.types.typeOf(element);
  const info = typeLabel(form.types, element);
  const what = place.label === '' ? 'item' : place.label;
  return (
    <div className="qg-fields">
      {state.items.map(({ key, value }, index) => (
        <Flex key={key} alignItems={{ default: 'alignItemsFlexStart' }} flexWrap={{ default: 'nowrap' }}>
          <FlexItem grow={{ default: 'grow' }}>
            <FieldView
              type={type}
              state={value}
              place={{ path: [...place.path, index], label: '', isRequired: true, depth: place.depth + 1 }}
              info={info}
            />
          </FlexItem>
          <FlexItem>
            <Button
              variant="plain"
              icon={<ArrowUpIcon />}
              aria-label={`Move item ${index} of ${what} up`}
              isDisabled={index === 0}
              onClick={() => edit(place.path, { kind: 'raise-item', index })}
            />
            <Button
              variant="plain"
              icon={<MinusCircleIcon />}
              aria-label={`Remove item ${index} of ${what}`}
              onClick={() => edit(place.path, { kind: 'remove-item', index })}
            />
          </FlexItem>
        </Flex>
      ))}
      <div>
        <Button
          variant="link"
          isInline
          icon={<PlusCircleIcon />}
          onClick={() => edit(place.path, { kind: 'add-item' })}
        >
          Add an item<span className="pf-v6-screen-reader"> to {what}</span>
        </Button>
        {state.items.length === 0 ? <span className="qg-subtle"> Empty list.</span> : null}
      </div>
    </div>
  );
}
