/**
 * What leaves the process. Sockets are caught where every protocol opens one, requests where every agent sends one,
 * processes where each is started: so a function that somebody kept from before does not get through.
 */
import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns'
import http from 'node:http'
import net from 'node:net'
import { caller } from './actor.ts'
import { type Callable, dressed, method, type Patch, replacement } from './patch.ts'
import { type Reach, refuse } from './reach.ts'

const reach = (what: string): Reach => ({
  what,
  instead:
    'call the outside through the gateway or the port that you are given; a client of the AWS SDK through the simulated `requestHandler`.',
  behindGateway:
    'what is outside has no place in it. Bind the gateway to an implementation that answers by itself, or give the client of its provider a transport that does.',
})

const processReach = (what: string): Reach => ({
  what,
  instead: 'a run starts no process; do it before the run, or behind a gateway that you are given.',
  behindGateway: 'a run starts no process. Bind the gateway to an implementation that answers by itself.',
})

const refused = (what: string) => (original: Callable) => replacement(original, reach(what))

const startRefused = (what: string) => (original: Callable) => replacement(original, processReach(what))

const resolving = (holder: object): ReadonlyArray<string> =>
  Object.getOwnPropertyNames(holder).filter((name) => /^(lookup|resolve|reverse)/.test(name))

export const networkPatches = (): ReadonlyArray<Patch> => [
  ...method([globalThis], 'fetch', refused('fetch()')),
  ...method([globalThis], 'WebSocket', constructorRefused('new WebSocket()')),
  ...method([globalThis], 'EventSource', constructorRefused('new EventSource()')),
  ...method([net.Socket.prototype], 'connect', refused('net.connect()')),
  ...method([net.Server.prototype], 'listen', refused('server.listen()')),
  ...method([http.Agent.prototype], 'addRequest', refused('http.request()')),
  ...['bind', 'connect', 'send'].flatMap((name) =>
    method([dgram.Socket.prototype], name, refused(`dgram.${name}()`)),
  ),
  ...[dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype].flatMap((holder) =>
    resolving(holder).flatMap((name) => method([holder], name, refused(`dns.${name}()`))),
  ),
  ...method([childProcess.ChildProcess.prototype], 'spawn', startRefused('child_process.spawn()')),
  ...['spawnSync', 'execSync', 'execFileSync'].flatMap((name) =>
    method([childProcess], name, startRefused(`child_process.${name}()`)),
  ),
]

/** Keeps the class as it is, to be extended and asked with `instanceof`. */
const constructorRefused =
  (what: string) =>
  (original: Callable): unknown => {
    const Original = original as unknown as NewableFunction
    const replaced = function (this: unknown, ...args: ReadonlyArray<unknown>): unknown {
      const actor = caller()
      if (actor !== undefined) refuse(actor, reach(what), replaced)
      return Reflect.construct(Original, args, new.target ?? Original)
    }
    dressed(replaced, Original)
    return Object.defineProperty(replaced, 'prototype', { value: Original.prototype, writable: false })
  }
