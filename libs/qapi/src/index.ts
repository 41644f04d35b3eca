/**
 * @qmp-gateway/qapi: the QAPI language.
 *
 * Takes schema source, or what a VM says of itself with `query-qmp-schema`, to one model; reads strict JSON and checks
 * command arguments against the model. Knows nothing of sockets, HTTP or of any particular QEMU release.
 */
export * from './model.js';
