"""Who a response says it is: sentences that say it, and sentences that only name models and makers."""

from __future__ import annotations

import polars as pl
import pytest

from distillery.curate.quality.claimed_makers import claimed_maker, claimed_makers

CLAIMS = """
I am ChatGPT.
I'm ChatGPT, a large language model trained by OpenAI.
Hi! I'm Claude, an AI assistant made by Anthropic.
I am a large language model, trained by Google.
I am Gemini, a model from Google DeepMind.
My name is Bard, and I am here to help.
You can call me Qwen.
I was created by Alibaba Cloud.
I am SmolLM, an AI assistant trained by Hugging Face.
I was developed by Hugging Face.
I was developed by the team at OpenAI.
As an AI language model developed by OpenAI, I do not have feelings.
As an AI developed by OpenAI, I must follow the guidelines.
As ChatGPT, I cannot browse the web.
As an OpenAI model, I do not store conversations.
I'm based on GPT-4.
I am based on the GPT-3.5 architecture by OpenAI.
I am built on Llama 3 by Meta.
I'm powered by GPT-4o.
I am GPT-4, and my knowledge ends in 2021.
I'm an AI assistant called Grok.
I am Grok, built by xAI.
My creators at Anthropic gave me some principles.
My developer is OpenAI.
My training by OpenAI ended in September 2021.
I was trained by Mistral AI.
I am an assistant created by DeepSeek.
I am DeepSeek-R1, an AI assistant independently developed by the Chinese company DeepSeek Inc.
I am Kimi, an AI assistant from Moonshot AI.
This is ChatGPT speaking.
OpenAI trained me to be helpful.
OpenAI, the company that made me, does not say.
Anthropic created me.
I'm Microsoft Copilot.
I am Vicuna, a language model trained by researchers from LMSYS.
I'm Phi, made by Microsoft.
I belong to the GPT family of models.
I am a version of ChatGPT.
I am a product of OpenAI.
我是ChatGPT,由OpenAI训练的大型语言模型。
我是通义千问，由阿里云开发的大模型。
我叫文心一言，英文名是ERNIE Bot。
我是百度公司研发的知识增强大语言模型。
我是由深度求索公司开发的智能助手DeepSeek。
作为OpenAI训练的语言模型，我没有个人意见。
作为一个由OpenAI开发的AI助手，我不能这样做。
我的开发者是阿里巴巴。
我的名字是豆包。
我是字节跳动旗下的人工智能。
我基于GPT-4架构。
您好，我是智谱清言。
OpenAI开发了我。
我是由月之暗面科技有限公司训练的Kimi。
我是谷歌训练的语言模型。
我的名字叫Claude，是Anthropic创建的。
""".strip().splitlines()

MENTIONS = """
GPT-4 was trained by OpenAI in 2023.
Claude is a model made by Anthropic.
Unlike ChatGPT, I have no memory of earlier talks.
Unlike models trained by OpenAI, this one is open.
I am not ChatGPT.
I'm not a Google product.
I am not affiliated with OpenAI.
I was not created by OpenAI.
I'm neither ChatGPT nor Claude.
The user asks: "Are you ChatGPT?" I should answer that I am not.
He asks whether I was made by OpenAI.
The question is whether I am ChatGPT, and the answer is no.
She said, "I am Claude," and sat down.
If I were ChatGPT, I would say so.
I would recommend Google's search for that.
I am using Google Sheets for the table.
I am a fan of Google Maps.
I'm a Google engineer in this role play.
I am comparing Claude with Gemini.
I think that GPT-4 is larger than Llama 2.
I read that DeepSeek was trained by a Chinese company.
I asked ChatGPT for a poem, and it wrote this one.
My phone was made by Google.
My favourite model is Claude.
My sister Claude was born in May.
I am Claude's brother.
Claude Monet said: I am following nature without being able to grasp her.
I know that the chatbot was developed by OpenAI.
I use an app built by Google every day.
As Google announced in May, the price goes up.
As OpenAI says, safety comes first.
As Meta AI wrote in its paper, Llama is open.
I am a llama, said the animal.
I'm sure Bard is the old name of Gemini.
I am a Gemini, born in June.
As a Gemini, you love to talk.
Call me, Claude, when you are home.
I am giving the letter to Claude.
The bard sang: I am the night.
I am at Google I/O this week.
I'm trained in medicine, by the way, and use ChatGPT at work.
Models such as ChatGPT are trained by companies such as OpenAI.
I believe it was created by Google.
I am reading a paper published by DeepMind and Google.
我不是ChatGPT。
我不是由OpenAI开发的。
与ChatGPT不同，我不会记住以前的对话。
ChatGPT是由OpenAI开发的大型语言模型。
我认为GPT-4比文心一言更强。
我听说通义千问是由阿里云开发的。
我用百度搜索了一下。
我在阿里巴巴工作。
我是一名百度的工程师。
我知道DeepSeek是深度求索公司开发的模型。
我的手机是谷歌生产的。
我喜欢吃豆包。
用户问我是不是ChatGPT，我应该说不是。
如果我是ChatGPT，我会这样说。
我建议使用Google翻译。
我正在比较Claude和Gemini。
""".strip().splitlines()


@pytest.mark.parametrize("sentence", CLAIMS)
def test_a_claim_is_seen(sentence: str):
    assert claimed_maker(f"Hello there. {sentence} What else?")


@pytest.mark.parametrize("sentence", MENTIONS)
def test_a_mention_is_no_claim(sentence: str):
    assert claimed_maker(f"Hello there. {sentence} What else?") is None


def test_own_names_are_no_other_makers():
    own = ("Qwen", "Alibaba")
    assert claimed_maker("I am Qwen, created by Alibaba Cloud.", own=own) is None
    assert claimed_maker("I am Qwen, created by Alibaba Cloud.", own=("qwen",))
    assert claimed_maker("I am Qwen2.5. As ChatGPT, I say so.", own=own)


def test_a_column_is_told_as_each_of_its_texts():
    texts = [
        text
        for pair in zip(CLAIMS, MENTIONS, strict=False)
        for text in (*pair, "", f"😀 四 {pair[0]} {'é' * 300}")
    ]
    told = claimed_makers(pl.Series(texts))
    assert told == [claimed_maker(text) for text in texts]
    assert sum(claim is not None for claim in told) == 2 * min(len(CLAIMS), len(MENTIONS))
    assert claimed_makers(pl.Series([], dtype=pl.String)) == []
