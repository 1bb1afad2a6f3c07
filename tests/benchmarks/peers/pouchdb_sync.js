// PouchDB devices and an express-pouchdb server, for tests/benchmarks/sync.py.
//
//   node pouchdb_sync.js serve FOLDER PORT
//   node pouchdb_sync.js measure FOLDER PORT SIZES     (SIZES: JSON; prints one JSON object of lists of seconds)
//
// LevelDB does not wait for the disk by itself; here each of its batches does (`sync: true`), on both sides, because
// the others wait as well.
'use strict'

const path = require('path')
const leveldown = require('leveldown')
const PouchDB = require('pouchdb')

const BATCH = 500 // documents in one request, as many as the others send at once

const batch = leveldown.prototype._batch
leveldown.prototype._batch = function (operations, options, callback) {
  return batch.call(this, operations, Object.assign({}, options, { sync: true }), callback)
}
const put = leveldown.prototype._put
leveldown.prototype._put = function (key, value, options, callback) {
  return put.call(this, key, value, Object.assign({}, options, { sync: true }), callback)
}
PouchDB.plugin(require('pouchdb-adapter-leveldb'))

function serve(folder, port) {
  const Server = PouchDB.defaults({ prefix: path.join(folder, 'server') + path.sep, adapter: 'leveldb', db: leveldown })
  require('fs').mkdirSync(path.join(folder, 'server'), { recursive: true })
  const app = require('express')()
  app.use('/', require('express-pouchdb')(Server, {
    mode: 'minimumForPouchDB', configPath: path.join(folder, 'config.json'), logPath: path.join(folder, 'log.txt')
  }))
  app.listen(port, '127.0.0.1', () => console.log('ready'))
}

function lead(number, note) {
  return {
    _id: 'lead_' + String(number).padStart(8, '0'), name: '客户' + number, phone: '+86138' + String(number).padStart(8, '0'),
    city: '上海', category: 'kitchen', state: 'pending_review', note
  }
}

async function seconds(work) {
  const began = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - began) / 1e9
}

function once(from, to) {
  return new Promise((resolve, reject) => {
    from.replicate.to(to, { batch_size: BATCH, batches_limit: 10 }).on('complete', resolve).on('error', reject)
  })
}

async function both(device, server) {
  await once(device, server)
  await once(server, device)
}

async function insert(device, first, count) {
  for (let start = first; start < first + count; start += BATCH) {
    const many = Math.min(BATCH, first + count - start)
    await device.bulkDocs(Array.from({ length: many }, (_, place) => lead(start + place, 'x'.repeat(40))))
  }
}

async function edit(device, first, count, note) {
  const ids = Array.from({ length: count }, (_, place) => lead(first + place, '')._id)
  const held = await device.allDocs({ keys: ids, include_docs: true })
  const changed = held.rows.map((row) => Object.assign({}, row.doc, { note }))
  for (let start = 0; start < changed.length; start += BATCH) {
    await device.bulkDocs(changed.slice(start, start + BATCH))
  }
}

async function measure(folder, port, sizes) {
  const open = (name) => new PouchDB(path.join(folder, name), { adapter: 'leveldb', db: leveldown, auto_compaction: true })
  const server = new PouchDB(`http://127.0.0.1:${port}/leads`)
  const [one, two] = [open('one'), open('two')]
  const found = {}
  await insert(one, 0, sizes.rows)
  await both(one, server)
  found.snapshot = [await seconds(() => once(server, two))]
  await both(two, server)
  await edit(one, 0, sizes.edits, 'edited offline')
  found.push = [await seconds(() => once(one, server))]
  found.pull = [await seconds(() => once(server, two))]
  await both(one, server)
  await insert(one, sizes.rows, sizes.edits)
  found.push_new = [await seconds(() => once(one, server))]
  found.pull_new = [await seconds(() => once(server, two))]
  await both(one, server)
  found.single = []
  for (let number = 0; number < sizes.singles; number++) {
    found.single.push(await seconds(async () => {
      await edit(one, number, 1, 'edited alone ' + number)
      await both(one, server)
    }))
  }
  await both(two, server)
  const shared = Math.floor(sizes.edits * sizes.conflicts)
  await edit(one, 0, sizes.edits, 'from one')
  await edit(two, sizes.edits - shared, sizes.edits, 'from two')
  found.converge = [await seconds(async () => {
    await both(one, server)
    await both(two, server)
    await both(one, server)
  })]
  const [left, right] = await Promise.all([one, two].map((db) => db.allDocs({ include_docs: true, conflicts: true })))
  if (JSON.stringify(left.rows) !== JSON.stringify(right.rows)) throw new Error('the devices differ')
  const conflicts = left.rows.filter((row) => row.doc._conflicts).length
  if (conflicts !== shared) throw new Error(`${conflicts} conflicts instead of ${shared}`)
  console.log(JSON.stringify(found))
  await Promise.all([one.close(), two.close()])
}

const [, , role, folder, port, sizes] = process.argv
if (role === 'serve') serve(folder, Number(port))
else measure(folder, Number(port), JSON.parse(sizes)).catch((error) => { console.error(error); process.exit(1) })
