"""HTTP bodies of OpenAI and Gemini for the test server: answers, errors and blocks.

Written from the providers' references; the real SDKs read them.
"""

import re
from typing import Any

CUT = {"length", "MAX_TOKENS"}
WORDS_PER_ANSWER = 12


def answer_words(text: str) -> list[str]:
    """Return the words of the only answer to a message: the message's words, after a greeting.

    If the prompt contains questions, only the last one: an answer that repeats instructions is not a passage.
    """
    asked = re.findall(r"^Question: (.+)$", text, re.MULTILINE)
    if asked:
        text = f"{asked[-1]} Ask a gardener near you, and read what the packet of the seeds says."
    return ["Here", "is", "what", "I", "know", "about:", *text.split()]


def _cut(text: str, most: int, kind: str) -> tuple[str, int, bool]:
    words = answer_words(text)
    if kind in CUT:
        words = words[:3]
    return " ".join(words[:most]), min(len(words), most), kind in CUT or len(words) > most


class OpenAi:
    """Chat completions."""

    BLOCKS = ("content_filter", "refusal")

    @staticmethod
    def message(body: dict[str, Any]) -> str:
        """Return the last user message, which identifies a request."""
        return next((turn["content"] for turn in reversed(body["messages"]) if turn["role"] == "user"), "")

    @staticmethod
    def answer(body: dict[str, Any], kind: str = "") -> dict[str, Any]:
        """Return the body of a completion; ``kind`` is a block, a cut or a defect."""
        most = body.get("max_completion_tokens") or body.get("max_tokens") or 10**6
        text, tokens, cut = _cut(OpenAi.message(body), most, kind)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        finish = "length" if cut else "stop"
        if kind == "content_filter":
            message["content"], finish = "", "content_filter"
        if kind == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        tokens_in = sum(len(turn["content"].split()) for turn in body["messages"])
        usage = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens,
            "total_tokens": tokens_in + tokens,
            "prompt_tokens_details": {"cached_tokens": tokens_in // 2, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": f"{body['model']}-2025-04-14",
            "choices": [] if kind == "empty" else [choice],
            **({} if kind in ("no-usage", "empty") else {"usage": usage}),
        }

    @staticmethod
    def error(kind: str, key: str, retry_after: float | None) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Return status, headers and body of an error. The body repeats a rejected key, as some servers do."""
        status, code, message = {
            "429": (429, "rate_limit_exceeded", "Rate limit reached for requests per min."),
            "no-quota": (429, "insufficient_quota", "You exceeded your current quota, please check your plan."),
            "408": (408, None, "Request timeout."),
            "500": (500, None, "The server had an error while processing your request."),
            "503": (503, None, "The engine is currently overloaded."),
            "bad-key": (401, "invalid_api_key", f"Incorrect API key provided: {key}."),
            "no-model": (404, "model_not_found", "The model `x` does not exist or you do not have access to it."),
            "too-long": (400, "context_length_exceeded", "This model's maximum context length is 10 tokens."),
            "bad-request": (400, "unsupported_value", "Unsupported value: 'temperature'\nOnly 1 is supported."),
            "prompt-block": (400, "content_filter", "The prompt triggered the content management policy."),
        }[kind]
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return status, headers, {"error": {"message": message, "type": "error", "param": None, "code": code}}


class Gemini:
    """generateContent."""

    BLOCKS = ("SAFETY", "RECITATION", "PROHIBITED_CONTENT", "prompt-block")

    @staticmethod
    def message(body: dict[str, Any]) -> str:
        """Return the last user message, which identifies a request."""
        turns = [turn for turn in body["contents"] if turn.get("role", "user") == "user"]
        return "".join(part.get("text", "") for part in turns[-1]["parts"]) if turns else ""

    @staticmethod
    def answer(body: dict[str, Any], kind: str = "") -> dict[str, Any]:
        """Return the body of a response; ``kind`` is a block, a cut or a defect."""
        config = body.get("generationConfig", {})
        budget = next(iter(config.get("thinkingConfig", {}).values()), 0)
        thoughts = 5 if budget else 0
        text, tokens, cut = _cut(Gemini.message(body), config.get("maxOutputTokens", 10**6), kind)
        turns = [*body["contents"], *([body["systemInstruction"]] if "systemInstruction" in body else [])]
        tokens_in = sum(len(part.get("text", "").split()) for turn in turns for part in turn["parts"])
        usage = {"promptTokenCount": tokens_in, "totalTokenCount": tokens_in + tokens + thoughts}
        blocked = kind in Gemini.BLOCKS
        usage |= {} if blocked else {"candidatesTokenCount": tokens}
        usage |= {"thoughtsTokenCount": thoughts} if thoughts else {}
        usage |= {"cachedContentTokenCount": tokens_in // 2}
        parts = [*([{"text": "Hm.", "thought": True}] if thoughts else []), {"text": text}]
        candidate: dict[str, Any] = {"index": 0, "finishReason": "MAX_TOKENS" if cut else "STOP"}
        candidate |= {"finishReason": kind} if blocked else {"content": {"role": "model", "parts": parts}}
        response: dict[str, Any] = {"modelVersion": "gemini-2.5-flash-001", "responseId": "r1"}
        if kind == "prompt-block":
            return {**response, "promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
        if kind not in ("no-usage", "empty"):
            response["usageMetadata"] = usage
        return {**response, "candidates": [] if kind == "empty" else [candidate]}

    @staticmethod
    def error(kind: str, key: str, retry_after: float | None) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Return status, headers and body of an error; the body contains the time to wait, as Gemini's does."""
        code, status, message = {
            "429": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
            "no-quota": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
            "408": (408, "CANCELLED", "Request timeout."),
            "500": (500, "INTERNAL", "An internal error has occurred."),
            "503": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
            "bad-key": (400, "INVALID_ARGUMENT", f"API key not valid: {key}. Please pass a valid API key."),
            "no-model": (404, "NOT_FOUND", "models/x is not found for API version v1beta."),
            "too-long": (
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens.",
            ),
            "bad-request": (400, "INVALID_ARGUMENT", "Unable to submit request:\nthinking_budget is out of range."),
        }[kind]
        details: list[dict[str, Any]] = []
        if retry_after is not None:
            details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after:g}s"})
        if kind == "bad-key":
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"})
        if kind == "no-quota":
            violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
            details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
        return code, {}, {"error": {"code": code, "message": message, "status": status, "details": details}}
