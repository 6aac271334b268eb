import { doWork, type WorkName } from './work.ts'

// Run as a process of its own: it kills itself (SIGKILL: nothing is cleaned up) at the step of the number given, either
// just before its statement is sent or while the server works on it.
const [name, url, directory, killAt, moment] = process.argv.slice(2) as [WorkName, string, string, string, string]
let steps = 0
await doWork(name, {
  url,
  directory,
  onProgress: () => {
    if (++steps !== Number(killAt)) return
    if (moment === 'before') process.kill(process.pid, 'SIGKILL')
    else setTimeout(() => process.kill(process.pid, 'SIGKILL'), 2)
  },
})
// So many steps there were: the test has killed at each of them.
process.exit(steps < Number(killAt) ? 7 : 0)
