"""Connections are kept, mistrusted, and never cost an answer."""

import socket
import struct
import threading
import time

import numpy as np
import pytest

from rtrack_ros.engines.base import CancelledError, DeadlineError, EngineError, Prompt
from rtrack_ros.engines.cancellation import Cancellation

IMAGE = np.zeros((192, 256, 3), np.uint8)
PROMPT = Prompt(('find', None))


def ask(engine, **options):
    return engine.infer([IMAGE], PROMPT, None, 16, **options)


def test_one_connection_carries_one_question_after_another(engine_on, say):
    used = engine_on(say.answer('a'), say.answer('b', dialect='vllm'),
                     say.answer('c', dialect='transformers'))
    assert [ask(used.engine).text for _ in range(3)] == ['a', 'b', 'c']
    assert len(set(used.server.connections[1:])) == 1


def test_a_connection_that_the_server_closed_while_idle_is_replaced(engine_on, say):
    used = engine_on(say.then_close(say.answer('a')), say.answer('b'))
    assert ask(used.engine).text == 'a'
    time.sleep(0.2)
    assert ask(used.engine).text == 'b'
    assert used.server.connections[1] != used.server.connections[2]


def close_after_request(handler):
    """Hang up without a byte, as a server whose idle time ends just now."""
    handler.close_connection = True


def test_a_kept_connection_that_dies_without_a_byte_is_retried_once_on_a_fresh_one(
        engine_on, say):
    used = engine_on(say.answer('a'), close_after_request, say.answer('b'))
    assert [ask(used.engine).text for _ in range(2)] == ['a', 'b']
    asked = used.server.connections
    assert len(asked) == 4 and asked[1] == asked[2] != asked[3]


def test_a_fresh_connection_that_dies_is_not_retried(engine_on, say):
    used = engine_on(say.then_close(say.answer('a')), close_after_request, say.answer('b'))
    ask(used.engine)
    time.sleep(0.2)
    with pytest.raises(EngineError, match='cannot be reached'):
        ask(used.engine)
    assert len(used.server.bodies) == 3
    assert ask(used.engine).text == 'b'


def test_no_question_is_sent_a_third_time(engine_on, say):
    used = engine_on(say.answer('a'), close_after_request, close_after_request, say.answer('b'))
    ask(used.engine)
    with pytest.raises(EngineError, match='cannot be reached'):
        ask(used.engine)
    assert len(used.server.bodies) == 4
    assert ask(used.engine).text == 'b'


def test_after_a_byte_of_an_answer_nothing_is_asked_twice(engine_on, say):
    def begin(handler):
        handler.wfile.write(b'HTTP/1.1 2')
        time.sleep(0.2)
        reset = struct.pack('ii', 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        handler.connection.close()
        handler.close_connection = True
    used = engine_on(say.answer('a'), begin, say.answer('b'))
    ask(used.engine)
    with pytest.raises(EngineError):
        ask(used.engine)
    assert len(used.server.bodies) == 3


def test_a_connection_that_the_server_announces_to_close_is_not_used_again(engine_on, say):
    def last(handler):
        handler.send_whole(200, b'{"choices": [{"message": {"content": "a"}, '
                           b'"finish_reason": "stop"}]}',
                           {'Content-Type': 'application/json', 'Connection': 'close'})
    used = engine_on(last, say.answer('b'))
    assert [ask(used.engine).text for _ in range(2)] == ['a', 'b']
    assert len(used.server.bodies) == 3


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_question(engine_on, say):
    def chatty(handler):
        say.answer('a')(handler)
        time.sleep(0.2)
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    used = engine_on(chatty, say.answer('b'))
    assert ask(used.engine).text == 'a'
    time.sleep(0.5)
    assert ask(used.engine).text == 'b'


def test_the_rest_of_a_stream_is_not_waited_for(engine_on, say):
    def script(handler):
        handler.send_response(200)
        handler.send_header('Content-Type', 'text/event-stream')
        handler.send_header('Transfer-Encoding', 'chunked')
        handler.end_headers()
        handler.send_chunk(b''.join(map(say.event, say.events_of('llamacpp', 'a'))))
        say.silence(handler)
    used = engine_on(script, say.answer('b'))
    started = time.perf_counter()
    assert ask(used.engine).text == 'a'
    assert time.perf_counter() - started < 4.0
    assert ask(used.engine).text == 'b'


def test_a_refusal_that_comes_while_the_question_is_still_sent_is_read(engine_on, say):
    used = engine_on(say.answer('b'), image_size=(1920, 1088))
    used.server.unread = say.status(413, 'body too large')
    noise = np.random.default_rng(1).integers(0, 256, (1088, 1920, 3)).astype(np.uint8)
    prompt = Prompt((None,) * 4)
    with pytest.raises(EngineError, match='answers 413: body too large'):
        used.engine.infer([noise] * 4, prompt, None, 16)
    assert used.engine.infer([noise] * 4, prompt, None, 16).text == 'b'


def cancel_when_told(engine, after):
    """Ask, and take the question back once ``after`` pieces came; return what was told."""
    cancellation, told = Cancellation(), []

    def on_text(text):
        told.append(text)
        if len(told) == after:
            threading.Thread(target=cancellation.cancel).start()
    with pytest.raises(CancelledError, match='taken back'):
        ask(engine, on_text=on_text, cancellation=cancellation)
    return told


def test_a_question_is_taken_back_while_it_is_answered_and_the_server_stops(engine_on, say):
    used = engine_on(say.until_hung_up('a', 'b'), say.answer('42'))
    started = time.perf_counter()
    assert cancel_when_told(used.engine, 2) == ['a', 'ab']
    assert time.perf_counter() - started < 5.0
    assert used.server.event.wait(5.0), 'the server must see that nobody waits any more'
    assert ask(used.engine).text == '42'


def test_a_question_is_taken_back_before_the_first_byte(engine_on, say):
    used = engine_on(say.silence, say.answer('42'))
    cancellation = Cancellation()
    timer = threading.Timer(0.2, cancellation.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        ask(used.engine, cancellation=cancellation)
    timer.join()
    assert used.server.event.wait(5.0)
    assert ask(used.engine).text == '42'


def test_a_question_that_was_taken_back_before_is_never_sent(engine_on, say):
    used = engine_on(say.answer('42'))
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(CancelledError):
        ask(used.engine, cancellation=cancellation)
    assert len(used.server.bodies) == 1


def test_taking_a_question_back_after_its_answer_disturbs_no_other(engine_on, say):
    used = engine_on(say.answer('a'), say.answer('b'))
    cancellation = Cancellation()
    assert ask(used.engine, cancellation=cancellation).text == 'a'
    cancellation.cancel()
    assert ask(used.engine).text == 'b'
    assert len(set(used.server.connections[1:])) == 1


def test_a_deadline_without_time_left_asks_nobody(engine_on, say):
    used = engine_on(say.answer('a'))
    seen = used.engine.encode([IMAGE])
    with pytest.raises(DeadlineError, match='no time was left'):
        used.engine.answer(seen, PROMPT, None, 16, 0.0)
    assert len(used.server.bodies) == 1


def test_what_a_listener_raises_ends_the_question_and_not_the_engine(engine_on, say):
    def on_text(text):
        raise ZeroDivisionError
    used = engine_on(say.answer('a'), say.answer('b'))
    with pytest.raises(ZeroDivisionError):
        ask(used.engine, on_text=on_text)
    assert ask(used.engine).text == 'b'


def test_closing_the_engine_ends_what_is_under_way(engine_on, say):
    used = engine_on(say.silence)
    threading.Timer(0.2, used.engine.close).start()
    started = time.perf_counter()
    with pytest.raises(EngineError, match='closed'):
        ask(used.engine)
    assert time.perf_counter() - started < 5.0
    with pytest.raises(EngineError, match='the engine is closed; load it again'):
        ask(used.engine)


def test_questions_of_several_threads_are_in_flight_at_once_and_keep_their_answers(
        engine_on, say):
    barrier = threading.Barrier(4)

    def script(handler):
        barrier.wait(5.0)
        mine = [asked.body for asked in handler.server.played.asked
                if asked.connection == handler.client_address and asked.method == 'POST'][-1]
        say.answer(mine['messages'][0]['content'][0]['text'])(handler)
    used = engine_on(script, dialect='vllm')
    replies = {}

    def question(name):
        replies[name] = used.engine.infer([], Prompt((name,)), None, 16).text
    threads = [threading.Thread(target=question, args=(f'q{index}',)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert replies == {f'q{index}': f'q{index}' for index in range(4)}
    assert used.engine.capabilities().concurrency == 4
