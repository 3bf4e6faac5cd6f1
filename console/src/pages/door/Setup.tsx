import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { setUp } from "../../api/acts";
import { Problem } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import { paths } from "../../paths";
import { client } from "../../router";
import { Trouble } from "../../ui/States";
import { Door } from "./Door";

/** The first administrator. The token comes after # so that it is never sent as part of an address. */
export function Setup() {
  const token = useLocation().hash;
  if (!token) {
    return (
      <Door title="Open the one-time link" about="This installation has no administrator yet. The server printed a link when it started: open that one to create the first.">
        <p className="dim small" style={{ marginTop: 12 }}>It looks like <code>/setup#…</code>. If it is gone, start the server again and it prints a new one.</p>
        <p style={{ marginTop: 14 }}><Link className="link" {...paths.signIn()}>There is one already: sign in</Link></p>
      </Door>
    );
  }
  return <First token={token} />;
}

function First({ token }: { token: string }) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => setUp({ token, name, email, password }),
    onSuccess: async (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      await navigate(paths.home());
    },
  });
  const problem = make.error instanceof Problem ? make.error : null;
  const gone = problem?.status === 404;
  const inField = ["name", "email", "password"].some((f) => problem?.field(f));
  return (
    <Door title="Create the first administrator" about="This link works once. Whoever uses it decides who else comes in.">
      <form onSubmit={(e) => { e.preventDefault(); make.mutate(); }}>
        <TextInput label="Name" autoComplete="name" required autoFocus maxLength={100} value={name} onChange={(e) => setName(e.currentTarget.value)} error={problem?.field("name")} />
        <TextInput label="Email" type="email" autoComplete="username" required value={email} onChange={(e) => setEmail(e.currentTarget.value)} error={problem?.field("email")} />
        <PasswordInput label="Password" description="At least 12 characters. Four words are good." autoComplete="new-password" required minLength={12} value={password}
          onChange={(e) => setPassword(e.currentTarget.value)} error={problem?.field("password")} />
        {gone ? (
          <div className="note">
            This link was used already. <Link className="link" {...paths.signIn()}>Sign in</Link>
          </div>
        ) : (
          make.error && !inField && <Trouble error={make.error} what="No administrator was created." />
        )}
        <Button type="submit" loading={make.isPending}>Create the administrator</Button>
      </form>
    </Door>
  );
}
