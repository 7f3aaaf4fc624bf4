"""Refusals as language models write them, and ordinary prose that is close to them."""

import pytest

from synthrank.llms.parsing.refusals import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "As of my last update I cannot say how often the rose wants water.",
        "As of my last knowledge update in October 2023, I don't have information about this library.",
        "As of my knowledge cutoff in 2021, there is no publicly available information on that release.",
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, but I cannot fulfill this request as it goes against my guidelines.",
        "I cannot provide instructions for that.",
        "Sorry, I can't help with that.",
        "As an AI language model, I do not have personal opinions.",
        "As a responsible AI, I must decline.",
        "I'm just an AI, I cannot open links.",
        "I am unable to access real-time data.",
        "I apologize for the confusion, but I cannot find it.",
        "My apologies, but this is outside of my knowledge.",
        "Unfortunately, I do not have access to the documentation.",
        "Thank you for your question. I don't have access to the internet, so I cannot check it.",
        "I don't have enough information to answer your question about this package.",
        "Based on the provided context, I cannot answer how the server starts.",
        "I must respectfully decline to write this.",
        "I won't write that passage.",
        "抱歉\uff0c我无法回答这个问题。",
        "申し訳ありませんが、お答えできません。",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Je suis désolé, mais je ne peux pas vous aider.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Извините, я не могу с этим помочь.",  # noqa: RUF001
    ],
)
def test_is_refusal_finds_refusals(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "As of version 3.2, the server cannot be restarted by hand.",
        "The rose cannot take frost; I have seen it die.",
        "If you are sorry for a lost lock, release it in a finally block.",
        "An AI model is trained on data, and its knowledge ends at a date.",
        "We do not have to close the file: the context manager does.",
        "Users cannot provide their own password here.",
        "Sorry states arise when a lock is lost.",
        "There is no way to undo a commit that was pushed.",
        "Sort the list. You can't sort a mixed list.",
        "",
    ],
)
def test_is_refusal_keeps_ordinary_prose(text):
    assert not is_refusal(text)
