# Writes plain Python loops and now and then returns lists of lists; slips are bounds, the last row or column, and = for +=.

# %% linear_forward
def linear_forward(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    N, n = len(D), len(W[0])
    A = np.zeros((N, n))
    for i in range(N):
        for j in range(n):
            for q in range(n):
                A[i, j] += D[i, q] * W[q, j]
    return A

# %% linear_jacobians
def linear_jacobians(D, W):
    D, W = np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    N, m, n = len(D), len(W), len(W[0])
    dA_dW = np.zeros((N, n, m, n))
    dA_dD = np.zeros((N, n, N, m))
    for i in range(N):
        for j in range(n - 1):
            for q in range(m):
                dA_dW[i, j, q, j] = D[i, q]
                dA_dD[i, j, i, q] = W[q, j]
    return dA_dW, dA_dD

# %% linear_backward
def linear_backward(B, D, W):
    B, D, W = np.asarray(B, dtype=float), np.asarray(D, dtype=float), np.asarray(W, dtype=float)
    N, m, n = len(D), len(W), len(W[0])
    dE_dD = [[0.0] * m for _ in range(N)]
    dE_dW = [[0.0] * n for _ in range(m)]
    for k in range(N):
        for l in range(m):
            for j in range(n):
                dE_dD[k][l] += B[k, j] * W[l, j]
    for k in range(m):
        for l in range(n):
            for i in range(N - 1):
                dE_dW[k][l] += D[i, k] * B[i, l]
    return dE_dD, dE_dW

# %% linear_backward_proof [markdown]
# $\frac{\partial E}{\partial W_{kl}} = \sum_{i=1}^{N-1} \sum_{j=1}^{n} B_{ij} D_{ik} \delta_{jl} = \sum_{i=1}^{N-1} D_{ik} B_{il}$,
# which is $(D^\top B)_{kl}$.
#
# $\frac{\partial E}{\partial D_{kl}} = \sum_{i} \sum_{j} B_{ij} \delta_{ik} W_{lj} = \sum_{j=1}^{n} B_{kj} W_{lj} = (B W^\top)_{kl}$.

# %% bias_forward
def bias_forward(D, b):
    D, b = np.asarray(D, dtype=float), np.asarray(b, dtype=float)
    A = []
    for i in range(len(D)):
        row = []
        for j in range(len(b)):
            total = D[i, j]
            for q in range(len(b)):
                total += b[j]
            row.append(total)
        A.append(row)
    return A

# %% bias_backward
def bias_backward(B):
    B = np.asarray(B, dtype=float)
    dE_db = np.zeros(B.shape[1])
    for i in range(B.shape[0]):
        for k in range(B.shape[1]):
            dE_db[k] = B[i, k]
    return B.tolist(), dE_db.tolist()

# %% sigmoid
def sigmoid(D):
    D = np.asarray(D, dtype=float)
    A = []
    for row in D:
        values = []
        for t in row:
            if t >= 0:
                values.append(1 / (1 + np.exp(-t)))
            else:
                values.append(np.exp(t) / (1 + np.exp(t)))
        A.append(values)
    return A

# %% sigmoid_backward
def sigmoid_backward(B, A):
    B, A = np.asarray(B, dtype=float), np.asarray(A, dtype=float)
    dE_dD = [0.0] * A.shape[1]
    for k in range(A.shape[0]):
        for l in range(A.shape[1]):
            dE_dD[l] += B[k, l] * A[k, l] * (1 - A[k, l])
    return dE_dD

# %% sigmoid_proof [markdown]
# $\sigma'(t) = \frac{e^{-t}}{(1 + e^{-t})^2}$ by the quotient rule. As $1 - \sigma(t) = \frac{e^{-t}}{1 + e^{-t}}$, this is
# $\sigma(t)(1 - \sigma(t))$. Every $D_{kl}$ stands in one $A_{kl}$ only, so I multiply by $B_{kl}$.
