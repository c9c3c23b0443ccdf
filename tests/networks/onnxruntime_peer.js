// Computes networks with ONNX Runtime's CPU provider on behalf of onnxruntime.py: one JSON object a line in, one out.
//   {"model": FILE, "threads": N, "inputs": {NAME: {"shape": [...], "file": RAW}}, "repeat": N,
//    "outputs": DIRECTORY}
//   {"load_ms": of the model's first use, "milliseconds": [...], "outputs": [{"shape": [...], "file": RAW}]}
//   {"forget": true} releases all loaded models.
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require(process.argv[2]);

const sessions = new Map();

async function sessionFor(model, threads) {
  const key = `${threads} ${model}`;
  if (sessions.has(key)) return {session: sessions.get(key), loadMs: 0};
  const start = performance.now();
  const session = await ort.InferenceSession.create(
      model, {executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1});
  sessions.set(key, session);
  return {session, loadMs: performance.now() - start};
}

function readTensor({shape, file}) {
  const bytes = fs.readFileSync(file);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return new ort.Tensor('float32', data, shape);
}

function writeOutputs(session, results, directory) {
  return session.outputNames.map((name, i) => {
    const file = path.join(directory, `output-${i}.raw`);
    fs.writeFileSync(file, Buffer.from(results[name].data.buffer, results[name].data.byteOffset,
                                       results[name].data.byteLength));
    return {shape: results[name].dims, file};
  });
}

async function answer(request) {
  if (request.forget) {
    for (const session of sessions.values()) await session.release();
    sessions.clear();
    return {};
  }
  const {session, loadMs} = await sessionFor(request.model, request.threads);
  const feeds = {};
  for (const [name, tensor] of Object.entries(request.inputs)) feeds[name] = readTensor(tensor);
  const milliseconds = [];
  let results;
  for (let i = 0; i < request.repeat; ++i) {
    const start = performance.now();
    results = await session.run(feeds);
    milliseconds.push(performance.now() - start);
  }
  return {load_ms: loadMs, milliseconds, outputs: writeOutputs(session, results, request.outputs)};
}

async function main() {
  for await (const line of readline.createInterface({input: process.stdin})) {
    let reply;
    try {
      reply = await answer(JSON.parse(line));
    } catch (error) {
      reply = {error: String(error)};
    }
    process.stdout.write(JSON.stringify(reply) + '\n');
  }
}

main();
