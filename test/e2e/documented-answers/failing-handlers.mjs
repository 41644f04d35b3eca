/**
 * Loaded into a gateway before its own code (`NODE_OPTIONS=--import=…`): requests whose `X-Request-Id` begins with
 * `fails-` reach their handler as others do, and it throws. With `breaks-` it throws when its answer has begun, where one
 * does that comes bit by bit.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';

const gateway = new URL('../../../apps/gateway/', import.meta.url);
const ofGateway = (file) => import(new URL(`dist/${file}`, gateway));
// As the gateway finds it: a copy of its own would be of no use.
const { resolve } = createRequire(new URL('package.json', gateway));
const { RouterExecutionContext } = await import(resolve('@nestjs/core/router/router-execution-context.js'));

const theRequest = new AsyncLocalStorage();

/** @param place where it is thrown, as the first line of its stack */
function failIf(requestId, mark, place) {
  if (!String(requestId).startsWith(mark)) return;
  const fault = new Error('the secret details');
  fault.stack = `Error: ${fault.message}\n    at ${place} (a-handler.js:1:1)`;
  throw fault;
}

/** @param idOf the id of the request, of the arguments of the method */
function failing({ prototype, name: owner }, method, { idOf, mark = 'fails-' }) {
  const original = prototype[method];
  prototype[method] = function (...given) {
    failIf(idOf(...given), mark, `${owner}.${method}`);
    return Reflect.apply(original, this, given);
  };
}

const createRoute = RouterExecutionContext.prototype.create;
RouterExecutionContext.prototype.create = function (instance, handler, name, ...rest) {
  const failingHandler = {
    [name](...given) {
      failIf(theRequest.getStore(), 'fails-', `${instance.constructor.name}.${name}`);
      return Reflect.apply(handler, this, given);
    },
  }[name];
  // What decorators have said of it.
  for (const key of Reflect.getOwnMetadataKeys(handler))
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, handler), failingHandler);
  const route = createRoute.call(this, instance, failingHandler, name, ...rest);
  return (request, ...others) => theRequest.run(request.gateway.requestId, () => route(request, ...others));
};

const { CheckedCommandPath } = await ofGateway('commands/command-path.js');
failing(CheckedCommandPath, 'execute', { idOf: ({ requestId }) => requestId });
const { FanOut } = await ofGateway('commands/fan-out.js');
failing(FanOut, 'run', { idOf: ({ context }) => context.requestId });
const { SocketRouter } = await ofGateway('upgrades/socket-router.js');
failing(SocketRouter, 'route', { idOf: (_request, _socket, _head, { requestId }) => requestId });
// What the resource of programs calls when its first line is out.
const { AgentCommands } = await ofGateway('agent/agent-commands.js');
failing(AgentCommands, 'inSession', { idOf: () => theRequest.getStore(), mark: 'breaks-' });
