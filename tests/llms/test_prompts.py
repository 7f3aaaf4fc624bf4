"""Prompt files: declared inputs equal the used placeholders and the given values."""

import pytest

from synthrank.config.prompt_heads import read_head
from synthrank.data.records import Exemplar, Message
from synthrank.errors import PromptError
from synthrank.llms.prompts import read_prompt
from synthrank.llms.reranking.questions import ShownPassage

HEAD = "---\ntask: passage\ninputs: [query]\n---\n"


@pytest.fixture
def write(tmp_path):
    def prompt(text):
        path = tmp_path / "prompt.md"
        path.write_text(text, encoding="utf-8")
        return path

    return prompt


def test_read_prompt_renders_turns(write):
    prompt = read_prompt(write(HEAD + "# system\nYou write.\n\n# user\nQuestion: {{ query }}\n# assistant\nWell,\n"))
    assert prompt.task == "passage"
    assert prompt.inputs == {"query"}
    assert prompt.render(query="how {{ so }}? # user") == (
        Message("system", "You write."),
        Message("user", "Question: how {{ so }}? # user"),
        Message("assistant", "Well,"),
    )


def test_read_prompt_renders_a_loop_over_exemplars(write):
    text = HEAD.replace("[query]", "[query, exemplars]") + (
        "# user\n{% for item in exemplars %}\n{{ loop.index }}. {{ item.query }}: {{ item.text }}\n"
        "{% if item.id == 'b' %}\n!\n{% endif %}\n{% endfor %}\nNow {{ query }}\n"
    )
    shown = [Exemplar("a", "ta", "1", "qa"), Exemplar("b", "tb", "2", "qb")]
    rendered = read_prompt(write(text)).render(query="x", exemplars=shown)
    assert rendered == (Message("user", "1. qa: ta\n2. qb: tb\n!\nNow x"),)


def test_a_heading_that_is_not_a_role_is_text(write):
    prompt = read_prompt(write(HEAD + "# user\n# Task\n## user\n# users\n{{ query }}\n"))
    assert prompt.render(query="x") == (Message("user", "# Task\n## user\n# users\nx"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# user\n{{ query }}\n", "no front matter; start the file with a block --- task: … inputs: … ---"),
        (
            "Hello\n" + HEAD + "# user\n{{ query }}",
            "no front matter; start the file with a block --- task: … inputs: … ---",
        ),
        (HEAD + "{{ query }}\n", "text outside a turn; start each turn with a line '# system' or '# user'"),
        (HEAD + "hi\n# user\n{{ query }}\n", "text outside a turn; start each turn with a line '# system' or '# user'"),
        (HEAD + "# robot\n{{ query }}\n", "text outside a turn; start each turn with a line '# system' or '# user'"),
        (HEAD + "# user\nhi\n", "inputs are ['query'], but the text uses []"),
        (HEAD + "# user\n{{ qury }}\n", "inputs are ['query'], but the text uses ['qury']"),
        (
            HEAD + "# user\n{{ query }}\n# system\n{% if style %}x{% endif %}\n",
            "inputs are ['query'], but the text uses ['query', 'style']",
        ),
        (HEAD.replace("inputs: [query]\n", "") + "# user\nx", "missing key 'inputs'"),
        (HEAD.replace("task", "tsak") + "# user\n{{ query }}", "unknown key 'tsak'; did you mean 'task'?"),
        (
            HEAD + "# user for item in query\n{{ item }}{{ other }}\n",
            "inputs are ['query'], but the text uses ['other', 'query']",
        ),
        (
            HEAD + "# user for item in query\n{{ item }}\n# user\n{{ item }}\n",
            "inputs are ['query'], but the text uses ['item', 'query']",
        ),
        (
            HEAD + "# user for item in items\n{{ query }}",
            "inputs are ['query'], but the text uses ['items', 'query']",
        ),
        (
            HEAD + "# user for query in query\n{{ query }}",
            "'query' is an input and the item of a heading; rename the item",
        ),
        (
            HEAD + "# user\n{{ query }}\n# assistant for each Passage\nyes\n",
            "invalid heading '# assistant for each Passage'; write '# assistant for item in items' in lower case",
        ),
    ],
)
def test_read_prompt_refuses_an_invalid_prompt(write, text, message):
    path = write(text)
    with pytest.raises(PromptError) as error:
        read_prompt(path)
    assert str(error.value) == f"{path}: {message}"


@pytest.mark.parametrize("text", [HEAD + "# user\n{{ query\n", HEAD + "# user\n{% for x in query %}\n{{ query }}\n"])
def test_read_prompt_names_the_line_of_a_template_error(write, text):
    path = write(text)
    with pytest.raises(PromptError, match=r"prompt\.md:[67]: not a template \("):
        read_prompt(path)


@pytest.mark.parametrize("text", ["(" * 5000 + "query" + ")" * 5000, "not " * 5000 + "query", "query + " + "9" * 5000])
def test_read_prompt_refuses_an_endless_expression_on_one_line(write, text):
    with pytest.raises(PromptError, match="an expression is too long or nested too deeply") as caught:
        read_prompt(write(f"---\ntask: passage\ninputs: [query]\n---\n# user\nText: {{{{ {text} }}}}\n"))
    assert "\n" not in str(caught.value)


def test_read_prompt_refuses_invalid_front_matter(write):
    with pytest.raises(PromptError, match=r"prompt\.md:3: not YAML \("):
        read_prompt(write("---\ntask: [\n---\n# user\nx\n"))


def test_read_prompt_refuses_a_missing_or_unreadable_file(tmp_path):
    with pytest.raises(PromptError, match=r"none\.md: cannot be read .*; expected a prompt file"):
        read_prompt(tmp_path / "none.md")
    (tmp_path / "latin.md").write_bytes(b"---\n\xfc\n---\n")
    with pytest.raises(PromptError, match=r"latin\.md:2: byte 1 of the line is not UTF-8; convert the file"):
        read_prompt(tmp_path / "latin.md")


@pytest.mark.parametrize("values", [{}, {"query": "x", "exemplars": []}, {"text": "x"}])
def test_render_refuses_values_that_differ_from_the_inputs(write, values):
    prompt = read_prompt(write(HEAD + "# user\n{{ query }}\n"))
    with pytest.raises(PromptError) as error:
        prompt.render(**values)
    assert str(error.value) == f"{prompt.path}: given {sorted(values)}, but the prompt's inputs are ['query']"


def test_render_refuses_an_unknown_attribute(write):
    prompt = read_prompt(write(HEAD + "# user\n{{ query.txet }}\n"))
    with pytest.raises(PromptError, match=r"cannot be rendered .*txet"):
        prompt.render(query="x")


def test_render_refuses_access_to_python_internals(write):
    prompt = read_prompt(write(HEAD + "# user\n{{ query.__class__.__mro__ }}\n"))
    with pytest.raises(PromptError, match="unsafe"):
        prompt.render(query="x")


def test_read_prompt_refuses_an_unknown_task(write):
    path = write(HEAD.replace("passage", "ranking") + "# user\n{{ query }}")
    with pytest.raises(PromptError, match=r"prompt\.md: task: unknown value 'ranking' \(known: graded, listwise, "):
        read_prompt(path)


LOOP = "---\ntask: listwise\ninputs: [query, items]\n---\n"


def test_consecutive_turns_of_a_list_are_repeated_together(write):
    prompt = read_prompt(write(LOOP + (
        "# user\n{{ items | length }}: {{ query }}\n"
        "# user for it in items\n[{{ it.id }}] {{ it.text }}\n# assistant for it in items\nI have {{ it.id }}.\n"
        "# user for it in items \nAgain {{ it.text }}, {{ query }}\n# assistant\nWell\n"
    )))  # fmt: skip
    shown = [Exemplar("a", "{{ ta }}"), Exemplar("b", "tb")]
    assert prompt.render(query="why", items=shown) == tuple(
        Message(role, content)
        for role, content in [
            ("user", "2: why"),
            ("user", "[a] {{ ta }}"), ("assistant", "I have a."), ("user", "Again {{ ta }}, why"),
            ("user", "[b] tb"), ("assistant", "I have b."), ("user", "Again tb, why"),
            ("assistant", "Well"),
        ]
    )  # fmt: skip
    assert [turn.content for turn in prompt.render(query="why", items=[])] == ["0: why", "Well"]


def test_turns_of_different_lists_are_repeated_separately(write):
    head = "---\ntask: listwise\ninputs: [items, query]\n---\n"
    prompt = read_prompt(write(head + "# user for a in items\n{{ a }}\n# user for b in query\n{{ b }}\n"))
    assert [turn.content for turn in prompt.render(items=["1", "2"], query=["3", "4"])] == ["1", "2", "3", "4"]


def test_render_refuses_an_item_without_a_used_attribute(write):
    prompt = read_prompt(write(LOOP + "# user for it in items\n{{ it.nosuch }} {{ query }}\n"))
    with pytest.raises(PromptError, match=r"cannot be rendered .*nosuch"):
        prompt.render(query="why", items=[Exemplar("a", "text")])


def test_every_committed_passage_prompt_renders(config, study):
    shown = [Exemplar("a", "An exemplar's text.", "1", "An exemplar's question?")]
    assert study.prompts
    for name in study.prompts:
        prompt = read_prompt(config / f"prompts/{name}.md")
        if prompt.task != "passage":
            continue
        values = {"query": "The question?", "exemplars": shown, "passage_words": 47}
        turns = prompt.render(**{key: values[key] for key in prompt.inputs})
        assert [turn.role for turn in turns] == ["system", "user"]
        assert turns[1].content.count("The question?") == 1
        assert "of about 47 words" in turns[1].content
        assert "{" not in turns[1].content
        assert ("An exemplar's text." in turns[1].content) == ("exemplars" in prompt.inputs)
        assert ("An exemplar's question?" in turns[1].content) == (name == "passage-few-shot-supervised")


DOMAINS = ("documentation", "technical", "manual", "software", "python", "medic", "health", "patient", "scien", "paper",
           "abstract", "news", "financ", "legal", "article", "domain")  # fmt: skip


def test_committed_prompts_name_no_domain(config, study):
    """A domain in a prompt would be a separate treatment, and wrong for other corpora."""
    domains = {corpus.domain for corpus in study.entities["corpora"].values()} - {None}
    assert domains, "some corpora state a domain"
    for name in study.prompts:
        _, text = read_head(config / f"prompts/{name}.md")
        assert not [word for word in (*DOMAINS, *domains) if word in text.lower()], name


def test_committed_ranking_prompts_show_query_and_passages(config, study):
    shown = [ShownPassage(1, "A", "First text."), ShownPassage(2, "B", "Second text.")]
    found = set()
    for name in (name for name in study.prompts if name.startswith("rank-")):
        prompt = read_prompt(config / f"prompts/{name}.md")
        values = {"query": "the query", "passages": shown, "passage": shown[0]}
        text = "\n".join(turn.content for turn in prompt.render(**{key: values[key] for key in prompt.inputs}))
        found.add(prompt.task)
        assert text.count("First text.") == 1
        assert text.count("Second text.") == ("passages" in prompt.inputs)
        assert ("the query" in text) == (prompt.task != "query-likelihood")
        assert "{" not in text
        if prompt.task == "listwise":
            assert text.index("[1] First text.") < text.index("[2] Second text.")
        if prompt.task in ("setwise", "pairwise"):
            assert text.index("Passage A: First text.") < text.index("Passage B: Second text.")
    assert found == {"listwise", "setwise", "pairwise", "pointwise", "query-likelihood"}


def test_committed_query_prompts_show_the_passage_last(config, study):
    shown = [Exemplar(str(number), f"Exemplar {number}.", "q", f"Question {number}?") for number in (1, 2)]
    names = [name for name in study.prompts if name.startswith("query-")]
    assert len(names) == 3
    for name in names:
        prompt = read_prompt(config / f"prompts/{name}.md")
        assert prompt.task == "queries"
        values = {"passage": "The passage.", "exemplars": shown}
        turns = prompt.render(**{key: values[key] for key in prompt.inputs})
        assert [turn.role for turn in turns] == ["system", "user"]
        text = turns[1].content
        assert text.count("The passage.") == 1
        assert "{" not in text
        parts = ("Exemplar 1.", "Question 1?", "Exemplar 2.", "Question 2?", "The passage.")
        order = [text.find(part) for part in parts]
        assert order == sorted(order) if name != "query-zero-shot" else order[:4] == [-1] * 4
        assert ("Example 3:\nDocument: The passage." in text) == (name == "query-inpars")
