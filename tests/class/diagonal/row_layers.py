# Thinks entry by entry: * for @, no sums, and factors or deltas that go missing.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return D * W

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    (N, m), n = D.shape, W.shape[1]
    dA_dW = D[:, None, :, None] * np.ones((N, n, m, n))
    dA_dD = W.T[None, :, None, :] * np.ones((N, n, N, m))
    return dA_dW, dA_dD

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    return B * W, D * B

# %% linear_backward_proof [markdown]
# $A = D W$, so by the product rule $\partial E/\partial D = B W$ and $\partial E/\partial W = D B$, with a transpose where the shapes want one.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    return D * b

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    return B, B

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    return 0.5 + 0.5 * np.tanh(0.5 * D)

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    return B * A

# %% sigmoid_proof [markdown]
# $1/\sigma = 1 + e^{-t}$, so $-\sigma'/\sigma^2 = -e^{-t} = 1 - 1/\sigma$ and $\sigma' = \sigma - \sigma^2 = \sigma(1 - \sigma)$.
# The layer works entry by entry, hence $B_{kl} A_{kl} (1 - A_{kl})$.
