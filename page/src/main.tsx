/** The page: parses the document that the file contains, and shows it. */

import { render } from "preact";
import { KNOWN_VERSION, type Report } from "./document";
import { Shell } from "./shell";
import "./style.css";

function Alone({ title, words }: { title: string; words: string }) {
  return (
    <main class="alone">
      <h1>{title}</h1>
      <p>{words}</p>
    </main>
  );
}

function parse(text: string): Report | null {
  try {
    return JSON.parse(text) as Report;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function pageOf(text: string | null | undefined) {
  if (!text)
    return <Alone title="No report here" words="This page has no data. Run landkeeper report to create a report." />;
  const report = parse(text);
  if (!report)
    return (
      <Alone
        title="The report is damaged"
        words="The data in this file is incomplete or was changed. Create the report again, or ask for a new copy."
      />
    );
  if (report.version > KNOWN_VERSION) {
    return (
      <Alone
        title="This report is newer than its page"
        words={`The data has version ${report.version}, this page shows version ${KNOWN_VERSION}. Create the report again with the newest Landkeeper.`}
      />
    );
  }
  return <Shell first={report} />;
}

const root = document.getElementById("page");
if (root) {
  root.textContent = "";
  render(pageOf(document.getElementById("landkeeper-report")?.textContent), root);
}
