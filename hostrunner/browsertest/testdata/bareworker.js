import "./bare.js";
import "/dist/worker.js";
