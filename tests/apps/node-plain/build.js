// Runs at build time: the server tells whether it did.
require("node:fs").writeFileSync("built.txt", "built\n");
