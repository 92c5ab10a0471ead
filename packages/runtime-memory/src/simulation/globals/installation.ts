/**
 * The globals of a simulated run: Node's own, patched once for all runs of the process, which ask at every call who
 * calls. Inside an actor they refuse or answer from the run; for everybody else they are what they were.
 *
 * Beyond the patches' reach is a function that was kept from before (`const now = Date.now`, a destructured `require`)
 * unless what it calls is patched: so load the code of a run after the installation.
 */
import { syncBuiltinESMExports } from 'node:module'
import { type Current, listen } from './actor.ts'
import { chancePatches } from './chance.ts'
import { networkPatches } from './network.ts'
import { applied } from './patch.ts'
import { heedRejections } from './rejections.ts'
import { timePatches } from './time.ts'
import { timerPatches } from './timers.ts'

export interface GlobalsOptions {
  /** Who calls, or undefined where it is none of this simulation's actors. Asked at every call: keep it cheap. */
  readonly current: Current
}

let installations = 0

let restore: () => void = () => undefined

/** Installs the globals until the function that it answers is called. Cheap where they are installed already. */
export const installGlobals = ({ current }: GlobalsOptions): (() => void) => {
  const leave = listen(current)
  if (installations === 0) restore = patched()
  installations += 1
  let installed = true
  return () => {
    if (!installed) return
    installed = false
    leave()
    installations -= 1
    if (installations === 0) restore()
  }
}

const patched = (): (() => void) => {
  const heedless = heedRejections()
  const takeOut = applied([...timePatches(), ...chancePatches(), ...timerPatches(), ...networkPatches()])
  // Named imports of Node's modules are copies until told.
  syncBuiltinESMExports()
  return () => {
    takeOut()
    heedless()
    syncBuiltinESMExports()
  }
}
