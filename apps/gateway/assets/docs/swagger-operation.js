// One operation by Swagger UI, in an instance of its own: it gets the part of the document that the operation needs, which is
// the difference between seconds and no wait.

import { prepare } from './gateway.js';

let bundle;

/** Loads Swagger UI, once; a page that shows its list has time for that. */
export function loadSwaggerUi() {
  bundle ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    const failed = () => {
      bundle = undefined;
      reject(new Error('Swagger UI could not be loaded; load the page again.'));
    };
    Object.assign(script, { src: new URL('swagger-ui-bundle.js', import.meta.url), onload: resolve, onerror: failed });
    document.head.append(script);
  });
  return bundle;
}

/**
 * Shows the only operation of a document in an element.
 *
 * @param part the document, and the address that its relative references are seen from
 * @returns the element in which the head of the operation belongs, as soon as it is there
 */
export async function mountOperation(host, { url, document }) {
  await loadSwaggerUi();
  return new Promise((mounted) => {
    const { specActions } = window.SwaggerUIBundle({
      domNode: host,
      queryConfigEnabled: false,
      validatorUrl: null,
      layout: 'OneOperation',
      docExpansion: 'full',
      displayRequestDuration: true,
      // Colouring the reply to query-qmp-schema takes seconds.
      syntaxHighlight: { activated: false },
      // The curl line shows the request as it was before `prepare`, so the token is not on the screen.
      showMutatedRequest: false,
      requestInterceptor: prepare,
      plugins: [oneOperation(mounted)],
    });
    specActions.updateUrl(url);
    specActions.updateJsonSpec(document);
  });
}

/** A plugin: a layout of one operation, without the head that the page has, and with its controls folded. */
function oneOperation(mounted) {
  return ({ React }) => {
    const h = React.createElement;
    const Slot = () => h('div', { ref: (slot) => slot !== null && mounted(slot) });
    const OneOperation = ({ specSelectors, getComponent }) => {
      const [tag, group] = specSelectors.taggedOperations().entrySeq().first() ?? [];
      const op = group?.getIn(['operations', 0]);
      if (op === undefined) return null;
      const [path, method, specPath] = ['path', 'method', 'specPath'].map((name) => op.get(name));
      return h(getComponent('OperationContainer', true), { op, tag, path, method, specPath });
    };
    return {
      components: { OneOperation, OperationSummary: Slot },
      wrapComponents: { parameters: foldControls(React) },
      // Nothing in the part refers to anything any more; Swagger UI would look for seconds. `this` is its system.
      afterLoad() {
        this.fn.resolveSubtree = (spec, path) =>
          Promise.resolve({ spec: path.reduce((node, key) => node?.[key], spec), errors: [] });
      },
    };
  };
}

/** What every command takes stands below its arguments, when somebody asks. */
function foldControls({ createElement: h, Fragment, useState }) {
  return (Parameters) =>
    function FoldedParameters(props) {
      const [isOpen, setOpen] = useState(false);
      const isControl = (parameter) => parameter.get('x-control') === true;
      const controls = props.parameters.filter(isControl);
      const own = props.parameters.filterNot(isControl);
      const names = controls.map((control) => control.get('name')).join(', ');
      const button = {
        ...{ className: 'controls', 'aria-expanded': isOpen, onClick: () => setOpen(!isOpen) },
        children: isOpen ? 'Hide what every command takes' : `What every command takes: ${names}`,
      };
      const parameters = isOpen ? own.concat(controls) : own;
      const isEmpty = parameters.isEmpty() ? 'parameters-none' : undefined;
      return h(
        Fragment,
        null,
        h('div', { className: isEmpty }, h(Parameters, { ...props, parameters })),
        controls.isEmpty() ? null : h('button', button),
      );
    };
}
