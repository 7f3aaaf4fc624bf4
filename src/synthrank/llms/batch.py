"""The batch engine: submits once, waits, takes what came and resubmits what did not, over any provider's client.

A batch is written to the journal before it is submitted, and again with its id; the process may be killed at any
moment and goes on where it was.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from pathlib import Path

from synthrank.llms.base import Client
from synthrank.llms.batch_engine import Engine, Item
from synthrank.llms.batch_lines import Outcome
from synthrank.progress import Progress
from synthrank.records import Request
from synthrank.specs.llms import HostedLlm


def run_batches(
    client: Client,
    spec: HostedLlm,
    requests: Mapping[str, Request],
    folder: Path,
    before_submit: Callable[[Mapping[str, Request]], None] | None = None,
    resumed: Callable[[Mapping[str, Request]], None] | None = None,
) -> Iterator[Item]:
    """Yield the answers as :func:`batch_answers` does, on an event loop of its own.

    Every call of the client that needs a loop is made on this one; at the end the client is closed.
    """
    answers = batch_answers(client, spec, requests, folder, before_submit, resumed)

    async def step() -> Item | None:
        return await anext(answers, None)

    with asyncio.Runner() as runner:
        try:
            while item := runner.run(step()):
                yield item
        finally:
            runner.run(answers.aclose())
            runner.run(client.close())


async def batch_answers(
    client: Client,
    spec: HostedLlm,
    requests: Mapping[str, Request],
    folder: Path,
    before_submit: Callable[[Mapping[str, Request]], None] | None = None,
    resumed: Callable[[Mapping[str, Request]], None] | None = None,
) -> AsyncGenerator[Item, None]:
    """Yield (key, request, answer), a batch at a time, as the batches are done.

    A batch counts as taken when the answer after its last one is asked for, so the consumer must have stored an
    answer before it asks for the next.

    Args:
        client: the provider's.
        spec: the model: ``batch`` limits a batch, ``limits.attempts`` how often a call or a request is repeated.
        requests: by key; those that are in an open batch of an earlier process are not submitted again.
        folder: of the journal.
        before_submit: is given the requests of each batch before it is submitted and may raise SpendError; batches
            already submitted are still taken before that ends the iteration.
        resumed: is given the requests that open batches of an earlier process hold, before anything is submitted.

    Raises:
        ProviderError: requests were refused or remain unanswered; raised after all answers were yielded.
        SpendError: as ``before_submit`` raised it, after all answers were yielded.
        StoreError: the journal cannot be read or written.
    """
    engine = Engine(client, spec, requests, folder, before_submit, resumed)
    with Progress(len(requests), "requests") as progress:
        try:
            for item in engine.kept():
                yield item
                progress.advance()
            await engine.begin()
            while ended := await engine.ended():
                outcome = Outcome()
                for item in engine.take(ended, outcome):
                    yield item
                    progress.advance()
                engine.settle(ended, outcome)
        finally:
            await engine.stop()
    engine.judge()
