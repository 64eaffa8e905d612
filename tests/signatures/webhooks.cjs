// What the official Node.js libraries say of each webhook on standard input: true or false, a line each. The argument names
// the library: standardwebhooks or svix.
const readline = require("node:readline");
const { Webhook } = require(`${process.env.NODE_MODULES}/${process.argv[2]}`);

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { secret, plain, id, timestamp, signature, body } = JSON.parse(line);
    const names = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
    let says = true;
    try {
        new Webhook(secret, plain ? { format: "raw" } : undefined).verify(body, names);
    } catch {
        says = false;
    }
    console.log(String(says));
});
